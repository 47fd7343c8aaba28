"""Who does word for word what the plugin author's guide says has a plugin: its files, its commands,
a Hub on this machine."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from zoo.data import read
from zoo.registry import reload
from zoo.testing import LoopbackHub

GUIDE = Path(__file__).parent.parent / "docs" / "tutorial" / "plugin.md"
BLOCK = re.compile(
    r"(?P<skip><!-- skip: next -->\n\n)?```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL
)
FILE = re.compile(r"# (\S+/\S+\.\w+|\w+\.(?:py|toml))\n")


@dataclass
class Author:
    """Somebody in an empty folder, with a site that pip installs into and a Hub to upload to."""

    folder: Path
    environment: dict[str, str]

    def run(self, *words: str) -> None:
        done = subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"

    def follow(self, language: str, text: str) -> None:
        if named := FILE.match(text):
            path = self.folder / named[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text if language == "python" else text.partition("\n")[2])
        elif language == "sh":
            self.run("bash", "-euo", "pipefail", "-c", text)
        elif language == "python":
            self.run(sys.executable, "-c", text)


@pytest.fixture
def author(tmp_path: Path, warm: Path) -> Author:
    site, folder = tmp_path / "site", tmp_path / "folder"
    programs = [warm.parent, Path(sys.executable).parent, os.environ["PATH"]]
    path = os.pathsep.join(map(str, programs))
    pip = {
        "PIP_TARGET": str(site),
        "PIP_UPGRADE": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
    }
    python = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
    folder.mkdir()
    return Author(
        folder, {**os.environ, **pip, "PATH": path, "PYTHONPATH": python, "PIP_QUIET": "1"}
    )


@pytest.mark.slow
def test_every_step_of_the_guide_works(author: Author) -> None:
    with LoopbackHub() as hub:
        author.environment["HF_ENDPOINT"] = hub.endpoint
        for block in BLOCK.finditer(GUIDE.read_text()):
            if not block["skip"]:
                author.follow(block["language"], block["text"])
            elif block["text"].startswith("hf upload you/blob"):
                revision = re.search(r"revision: ([0-9a-f]{40})", GUIDE.read_text())
                assert revision
                hub.add(
                    "you/blob",
                    {"model.safetensors": author.folder / "model.safetensors"},
                    revision=revision[1],
                )
        assert hub.bodies("*/model.safetensors") == 1
    assert list((author.folder / "dist").glob("detzoo_blob-0.1.0-*.whl"))


def test_the_hooks_of_the_guide_are_about_a_dozen_lines() -> None:
    [hooks] = [
        block["text"]
        for block in BLOCK.finditer(GUIDE.read_text())
        if block["text"].startswith("# detzoo_blob/__init__")
    ]
    assert len(hooks.splitlines()) <= 16


def test_the_data_set_format_of_the_guide_reads(tmp_path: Path, give_plugin) -> None:
    [module] = [
        block["text"]
        for block in BLOCK.finditer(GUIDE.read_text())
        if block["text"].startswith("# detzoo_lines/__init__")
    ]
    give_plugin("lines", module)
    reload()
    (tmp_path / "street.lines").write_text("a.png 0 0 1 1\nb.png 1 1 2 2\na.png 3 3 4 4\n")
    data = read(f"{tmp_path / 'street.lines'},every=2")
    assert (len(data), len(data.truth.labels)) == (1, 2)
    assert data.images[0].path == tmp_path / "a.png"
