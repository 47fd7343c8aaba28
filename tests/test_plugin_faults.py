"""Every fault of a plugin is contained, and named with its distribution, version and reason: real
wheels, installed by pip."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hatchling.build import build_wheel

VERSION = "0.9"
PROJECT = """
    [build-system]
    requires = ["hatchling"]
    build-backend = "hatchling.build"

    [project]
    name = "{distribution}"
    version = "{version}"

    [project.entry-points.detzoo]
    {plugin} = "{package}"
"""
HOOK = """
    import sys
    from zoo import hookimpl

    @hookimpl
    def {hook}({parameter}):
        {body}
"""
MODEL = """
    from zoo import hookimpl

    @hookimpl
    def register_architectures(register):
        register("{name}", "detzoo_{name}.detector:build")

    @hookimpl
    def register_cards(register):
        register({{"schema": 2, "cards": {{"{name}_s": {{"architecture": "{name}", "labels": ["a"]}}}}}})
"""
DETECTOR = """
    import torch
    from zoo.testing import Toy
    from zoo.detections import Detections

    class Broken(Toy):
        def one(self, boxes, *rest):
            seen = super().one(boxes, *rest)
            return Detections({boxes}, seen.scores, seen.labels, seen.label_space, seen.size)

    def build(*, label_space):
        return Broken(label_space)
"""


def hook(body: str, *, hook: str = "register_heads", parameter: str = "register") -> str:
    return HOOK.format(hook=hook, parameter=parameter, body=body)


# What each broken plugin's module holds, and the reason that is given for leaving it out.
LEFT_OUT = {
    "unimported": (
        "import not_there_at_all",
        "its import failed with ModuleNotFoundError: No module named 'not_there_at_all'",
    ),
    "misspelt": ("def broken(:\n    pass", "its import failed with SyntaxError"),
    "leaving": ("import sys\nsys.exit('bye')", "its import called sys.exit('bye')."),
    "raising": (hook("1 / 0"), "register_heads failed with ZeroDivisionError: division by zero"),
    "exiting": (hook("sys.exit(3)"), "register_heads called sys.exit(3)."),
    "unhooked": (hook("pass", hook="register_detectors"), "unknown hook 'register_detectors'"),
    "misnamed": (hook("pass", parameter="registr"), "registr"),
    "doubled": (
        hook("[register('net', print) for _ in '12']"),
        "It registers 'net' twice among the heads: builtins:print and builtins:print.",
    ),
    "miscarded": (
        hook("register('cards.yaml')", hook="register_cards"),
        "detzoo_miscarded/cards.yaml'",
    ),
    "ahead": (
        "ZOO_API = 3",
        "It was written for version 3 of the plugin API, and this detzoo has version 2.",
    ),
    "behind": (
        "ZOO_API = 1",
        "It was written for version 1 of the plugin API, and this detzoo has version 2.",
    ),
}
WORKING = {
    "sleepy": "import time\ntime.sleep(0.6)",
    "heavy": "import torch",
    "nan": MODEL.format(name="nan"),
    "outside": MODEL.format(name="outside"),
    "text": MODEL.format(name="text"),
    "dividing": MODEL.format(name="dividing"),
    "fine": MODEL.format(name="fine"),
}
FILES = {
    "miscarded": {
        "cards.yaml": (
            "schema: 2\ncards:\n  x:\n    architecture: net\n    labels: coco80\n    parameters: "
            "many\n"
        )
    },
    "nan": {"detector.py": DETECTOR.format(boxes="seen.boxes * float('nan')")},
    "outside": {"detector.py": DETECTOR.format(boxes="seen.boxes + 100")},
    "fine": {"detector.py": DETECTOR.format(boxes="seen.boxes")},
    "text": {"detector.py": "def build(*, label_space):\n    return 'a net'\n"},
    "dividing": {"detector.py": "def build(*, label_space):\n    1 / 0\n"},
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that pip installed all of them into."""
    wheels, site = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    modules = (
        {name: source for name, (source, _) in LEFT_OUT.items()}
        | WORKING
        | {"twin": "", "twin2": ""}
    )
    for name, source in modules.items():
        files = {"__init__.py": source, **FILES.get(name, {})}
        _build(tmp_path_factory.mktemp(name), name, files, wheels)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-index",
        "--no-deps",
    ]
    subprocess.run([*pip, "--target", str(site), *map(str, wheels.glob("*.whl"))], check=True)
    return site


def _build(project: Path, name: str, files: dict[str, str], wheels: Path) -> None:
    package = project / f"detzoo_{name}"
    package.mkdir()
    for file, text in files.items():
        (package / file).write_text(dedent(text))
    words = {
        "distribution": f"detzoo-{name}",
        "version": VERSION,
        "plugin": name.rstrip("2"),
        "package": package.name,
    }
    (project / "pyproject.toml").write_text(dedent(PROJECT).format(**words))
    before = Path.cwd()
    os.chdir(project)  # a build backend builds what it stands in
    try:
        build_wheel(str(wheels))
    finally:
        os.chdir(before)


def zoo(
    site: Path, *words: str, code: str = "", setting: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs `zoo`, or Python code, in a process that sees them."""
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
    environment = (
        os.environ | {"PYTHONPATH": path} | ({} if setting is None else {"ZOO_PLUGINS": setting})
    )
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "zoo", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def infos(site: Path) -> dict[str, list[dict[str, Any]]]:
    """What `zoo plugins` says, by the plugin's name."""
    done = zoo(site, "plugins", "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, list[dict[str, Any]]] = {}
    for info in json.loads(done.stdout):
        found.setdefault(info["name"], []).append(info)
    return found


@pytest.mark.parametrize("name", list(LEFT_OUT))
def test_a_broken_plugin_is_left_out_with_its_reason(
    name: str, infos: dict[str, list[dict[str, Any]]]
) -> None:
    [info] = infos[name]
    assert (info["status"], info["distribution"], info["version"]) == (
        "quarantined",
        f"detzoo-{name}",
        VERSION,
    )
    assert LEFT_OUT[name][1].casefold() in info["reason"].casefold()


def test_an_invalid_card_is_named_with_its_line_and_field(
    infos: dict[str, list[dict[str, Any]]],
) -> None:
    assert "Line 6, field 'cards.x.parameters'" in infos["miscarded"][0]["reason"]


def test_a_plugin_of_another_api_says_what_to_upgrade(
    infos: dict[str, list[dict[str, Any]]],
) -> None:
    assert "pip install --upgrade detzoo" in infos["ahead"][0]["reason"]
    assert "Upgrade the plugin" in infos["behind"][0]["reason"]


def test_of_two_plugins_of_one_name_the_second_names_the_first(
    infos: dict[str, list[dict[str, Any]]],
) -> None:
    first, second = infos["twin"]
    assert (first["distribution"], first["status"]) == ("detzoo-twin", "loaded")
    assert (second["distribution"], second["status"]) == ("detzoo-twin2", "quarantined")
    assert f"detzoo-twin {VERSION} has a plugin of the same name" in second["reason"]


def test_everything_else_works(infos: dict[str, list[dict[str, Any]]]) -> None:
    working = {name for name, found in infos.items() if found[0]["status"] == "loaded"}
    assert working >= {"torchvision", "timm", "yolox", *WORKING}


def test_every_broken_plugin_is_warned_of_in_a_line(site: Path) -> None:
    done = zoo(site, "list", "yolox_nano", setting=",".join([*LEFT_OUT, "yolox"]))
    assert done.returncode == 0
    assert "yolox_nano" in done.stdout
    lines = [line for line in done.stderr.splitlines() if "twin" not in line]
    for name, line in zip(sorted(LEFT_OUT), lines, strict=True):
        assert line.startswith(
            f"Warning: Skipped plugin '{name}' of detzoo-{name} {VERSION} (detzoo_{name}): "
        )


def test_a_slow_import_and_one_of_torch_are_remarked_on(
    site: Path, infos: dict[str, list[dict[str, Any]]]
) -> None:
    said = zoo(site, "plugins", setting="sleepy,heavy,fine").stdout
    assert "sleepy: importing it took 0." in said
    assert "which every listing waits for." in said
    assert "heavy: importing it imports torch, which makes every listing slow." in said
    assert "fine: " not in said
    assert infos["heavy"][0]["imports_torch"]
    assert not infos["fine"][0]["imports_torch"]


@pytest.fixture(scope="module")
def seen(site: Path) -> dict[str, str]:
    """What loading and running each model comes to."""
    code = """if True:
        import json, torch, zoo
        said = {}
        for name in ("nan", "outside", "text", "dividing", "fine"):
            try:
                model = zoo.load(f"{name}_s", weights=False)
                said[name] = str(model.detect(torch.full((3, 40, 50), 90, dtype=torch.uint8), score=0.0).size)
            except zoo.ZooError as why:
                said[name] = f"{type(why).__name__}: {why}"
        print(json.dumps(said))
    """
    done = zoo(site, code=code, setting="nan,outside,text,dividing,fine")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_boxes_that_are_no_numbers_are_refused_and_the_distribution_is_named(
    seen: dict[str, str],
) -> None:
    assert seen["nan"].startswith("ContractError: 'nan_s' failed on")
    assert "boxes must be finite" in seen["nan"]
    assert f"'detzoo_nan' (detzoo-nan {VERSION})" in seen["nan"]


def test_boxes_outside_the_picture_are_refused_and_the_distribution_is_named(
    seen: dict[str, str],
) -> None:
    assert "A box leaves the image" in seen["outside"]
    assert f"'detzoo_outside' (detzoo-outside {VERSION})" in seen["outside"]


def test_a_builder_that_returns_no_detector_is_refused(seen: dict[str, str]) -> None:
    assert "'text_s' can't be built by the architecture 'text/text'." in seen["text"]
    assert "It returned a str, not a zoo.Detector." in seen["text"]


def test_a_builder_that_fails_is_an_error_of_its_distribution(seen: dict[str, str]) -> None:
    assert seen["dividing"].startswith(
        "ContractError: 'dividing_s' can't be built by the architecture 'dividing/dividing'."
    )
    assert "Its builder raised ZeroDivisionError: division by zero" in seen["dividing"]
    assert f"'detzoo_dividing' (detzoo-dividing {VERSION})" in seen["dividing"]


def test_a_plugin_without_a_fault_runs_beside_them(seen: dict[str, str]) -> None:
    assert seen["fine"] == "(40, 50)"
