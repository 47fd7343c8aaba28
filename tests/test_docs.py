"""Docs are true: snippets run, links lead somewhere, the reference is current, every hook and
command is described."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import av
import msgspec
import pytest
from PIL import Image
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

from zoo.cli.app import COMMANDS
from zoo.registry import card, hookspecs, registry_file

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "tutorial" / "plugin.md"  # tests/test_plugin_guide.py follows it
DOCS = ROOT / "docs"
WRITTEN = [
    DOCS / "reference" / f"{name}.md"
    for name in ("settings", "cards", "evaluation", "leaderboard", "exit-codes", "benchmarks")
]
PAGES = [
    ROOT / "README.md",
    *sorted(DOCS.glob("tutorial/*.md")),
    *sorted(DOCS.glob("howto/*.md")),
    *sorted(DOCS.glob("explanation/*.md")),
    *WRITTEN,
    *sorted((ROOT / "plugins").glob("*/README.md")),
]
EVERY_PAGE = sorted({*PAGES, *DOCS.rglob("*.md"), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"})


MIRROR = "https://mirror.example/"


def shell(example: Example) -> None:
    """Runs a `sh` block; a command that fails stops it. The mirror is one on this machine."""
    script = example.parsed.replace(MIRROR, os.environ["ZOO_MIRRORS"].partition("=")[2])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True
    )
    assert done.returncode == 0, f"{example.parsed}\n{done.stdout}\n{done.stderr}"


SNIPPETS = Sybil(
    [SkipParser(), PythonCodeBlockParser(), CodeBlockParser(language="sh", evaluator=shell)]
)


def annotate(source: Path, photos: list[Path], to: Path) -> None:
    """Writes what the data set says of some of its photos."""
    whole = json.loads(source.read_text())
    images = [
        image for image in whole["images"] if image["file_name"] in {photo.name for photo in photos}
    ]
    ids = {image["id"] for image in images}
    annotations = [one for one in whole["annotations"] if one["image_id"] in ids]
    to.write_text(
        json.dumps(
            {"images": images, "annotations": annotations, "categories": whole["categories"]}
        )
    )


def film(photos: list[Path], to: Path) -> None:
    """Writes a clip of 40 frames, of some photos one after the other."""
    images = [Image.open(photo).convert("RGB").resize((320, 240)) for photo in photos]
    with av.open(str(to), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(40):
            frame = av.VideoFrame.from_image(images[number * len(images) // 40])
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.fixture
def desk(
    tmp_path: Path,
    shared: Path,
    warm: Path,
    published_yolox_nano: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A folder with images and their annotations, YOLOX-Nano where its card says it is published,
    and this environment's programs."""
    photos = sorted((shared / "coco_val2017_128" / "val2017").glob("*.jpg"))
    shutil.copy(photos[0], tmp_path / "street.jpg")
    film(photos[:2], tmp_path / "clip.mp4")
    (tmp_path / "images").mkdir()
    for photo in photos[:4]:
        shutil.copy(photo, tmp_path / "images")
    annotate(
        shared / "coco_val2017_128" / "instances.json", photos[:4], tmp_path / "instances.json"
    )
    monkeypatch.chdir(tmp_path)
    programs = [warm.parent, Path(sys.executable).parent, os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, programs)))
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in PAGES if page != GUIDE], ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_snippet_runs(page: Path, desk: Path) -> None:
    for example in SNIPPETS.parse(page).examples():
        example.evaluate()


def test_every_link_leads_somewhere() -> None:
    dead = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in EVERY_PAGE
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)[^)]*\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert dead == []


def test_the_site_builds_with_every_page_and_link(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(DOCS / "build_site.py"), "--to", str(tmp_path / "site")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "site" / "index.html").is_file()
    built = {path.stem for path in (tmp_path / "site" / "docs" / "howto").glob("*.html")}
    assert built == {path.stem for path in (DOCS / "howto").glob("*.md")}


def test_the_reference_is_current() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "build_reference.py"), "--check"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_no_entry_of_the_reference_is_empty() -> None:
    pages = (ROOT / "docs" / "reference").glob("*.md")
    assert [page.name for page in pages if re.search(r"```\w*\n\s*```", page.read_text())] == []


def settings() -> set[str]:
    """Every environment variable that the code names."""
    files = [*(ROOT / "zoo").rglob("*.py"), *(ROOT / "plugins").glob("*/detzoo_*/**/*.py")]
    named = set(
        re.findall(r"\b(?:ZOO|HF)_[A-Z_]*[A-Z]\b", "\n".join(file.read_text() for file in files))
    )
    return named - {"ZOO_API"}  # what a plugin's module says of itself


def test_every_setting_is_in_the_docs() -> None:
    told = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "reference" / "settings.md").read_text()))
    assert settings() >= {"ZOO_OFFLINE", "ZOO_REGISTRY", "HF_ENDPOINT"}
    assert settings() - told == set()
    assert {name for name in told if name.startswith("ZOO_")} - settings() == set()


STRUCTS = [
    one for one in vars(card).values() if isinstance(one, type) and issubclass(one, msgspec.Struct)
]


@pytest.mark.parametrize("kind", [registry_file.Outline, *STRUCTS], ids=lambda kind: kind.__name__)
def test_every_field_of_a_card_is_explained(kind: type[msgspec.Struct]) -> None:
    told = (ROOT / "docs" / "reference" / "cards.md").read_text()
    assert [name for name in kind.__struct_fields__ if f"`{name}`" not in told] == []


HOOKS = [name for name in vars(hookspecs) if name.startswith("register_")]


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_in_the_plugin_guide(hook: str) -> None:
    assert f"`{hook}`" in (ROOT / "docs" / "tutorial" / "plugin.md").read_text()


def test_every_hook_is_used_in_a_test_or_by_a_bundled_plugin() -> None:
    files = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]
    code = "\n".join(file.read_text() for file in files if file != Path(__file__))
    assert [hook for hook in HOOKS if hook not in code] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_docs(command: str) -> None:
    assert any(f"zoo {command}" in page.read_text() for page in PAGES)


def test_no_page_names_a_path_of_one_machine() -> None:
    path = re.compile(r"(?<![\w.])/(work|root|home)/\w")
    assert [
        str(page.relative_to(ROOT)) for page in EVERY_PAGE if path.search(page.read_text())
    ] == []
