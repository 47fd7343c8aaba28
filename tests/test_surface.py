"""The public surface: what `import zoo` offers, and that it does not change by accident."""

import sys
from pathlib import Path

import pytest

import zoo

SURFACE = [
    "Detections",
    "Detector",
    "LabelSpace",
    "Protocol",
    "Target",
    "ZooError",
    "__version__",
    "benchmark",
    "catalogue",
    "compare",
    "compose",
    "detect_video",
    "evaluate",
    "export",
    "hookimpl",
    "load",
    "push",
    "train",
]


def test_the_surface_is_what_the_reference_says() -> None:
    assert zoo.__all__ == SURFACE, (
        "a name was added or removed: say so in CHANGELOG.md and docs/reference, then change this "
        "list"
    )


def test_every_name_of_the_surface_can_be_had() -> None:
    for name in SURFACE:
        assert getattr(zoo, name) is not None


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in Path(zoo.__file__).parent.iterdir() if path.is_dir())
)
def test_a_package_needs_no_import_of_its_own(name: str) -> None:
    if name not in ("__pycache__", "cli"):
        assert zoo.__getattr__(name) is sys.modules[f"zoo.{name}"]


def test_a_name_that_is_not_there_says_what_is() -> None:
    with pytest.raises(AttributeError, match="load"):
        zoo.detekt  # noqa: B018


def test_dir_lists_the_surface() -> None:
    assert dir(zoo) == sorted(SURFACE)
