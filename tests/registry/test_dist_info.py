"""Names and versions in the names of folders of metadata."""

import pytest

from zoo.registry.dist_info import name_and_version


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("detzoo-0.1.0.dist-info", ("detzoo", "0.1.0")),
        ("huggingface_hub-1.2.dist-info", ("huggingface_hub", "1.2")),
        ("Pillow-12.0-py3.11.egg-info", ("Pillow", "12.0")),
        ("detzoo.egg-info", ("detzoo", None)),
        ("torch-2.14.1+cpu.dist-info", ("torch", "2.14.1+cpu")),
        ("torch", None),
        ("-1.0.dist-info", None),
    ],
)
def test_name_and_version_are_read_off_the_folder(
    folder: str, expected: tuple[str, str | None] | None
) -> None:
    assert name_and_version(folder) == expected
