"""constraints.txt pins every dependency for every supported Python, within its range; environments
are made of these pins."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
FILE = ROOT / "constraints.txt"
PYTHONS = ("3.11", "3.12", "3.13")
SYSTEMS = (
    ("linux", "Linux", "x86_64"),
    ("darwin", "Darwin", "arm64"),
    ("win32", "Windows", "AMD64"),
)


def environment(python: str, system: tuple[str, str, str]) -> dict[str, str]:
    """What markers are asked of, on that Python and system."""
    versions = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_version": f"{python}.0",
    }
    names = {
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": "",
    }
    platform, name, machine = system
    return (
        versions
        | names
        | {"sys_platform": platform, "platform_system": name, "platform_machine": machine}
    )


def pins(where: dict[str, str] | None = None) -> dict[str, Version]:
    """The pinned version of each distribution, there or here."""
    found: dict[str, Version] = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        one = Requirement(line)
        if one.marker is None or one.marker.evaluate(where):
            [exact] = one.specifier
            assert exact.operator == "==", line
            name = canonicalize_name(one.name)
            assert name not in found, f"{name} is pinned twice"
            found[name] = Version(exact.version)
    return found


def direct() -> list[Requirement]:
    """Every dependency that pyproject.toml names, whatever for."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project, groups = content["project"], content["dependency-groups"]
    listed = [project["dependencies"], content["build-system"]["requires"]]
    listed += [*project["optional-dependencies"].values(), *groups.values()]
    direct = [Requirement(one) for part in listed for one in part]
    return [one for one in direct if one.name != project["name"]]  # `all` is made of other extras


def test_the_extra_for_everything_holds_every_other_one() -> None:
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = content["project"]["optional-dependencies"]
    [everything] = extras.pop("all")
    assert Requirement(everything).extras == set(extras)


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda one: one[0])
@pytest.mark.parametrize("python", PYTHONS)
def test_every_direct_dependency_is_pinned_within_its_range(
    python: str, system: tuple[str, str, str]
) -> None:
    pinned = pins(environment(python, system))
    for one in direct():
        assert canonicalize_name(one.name) in pinned, f"{one} is not pinned; make constraints"
        assert pinned[canonicalize_name(one.name)] in one.specifier, (
            f"{one} is pinned to another version; make constraints"
        )


def test_it_names_no_host_and_no_path() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"(^|\s)(--|/|file:)", text, re.MULTILINE)


def test_what_is_installed_is_what_is_pinned() -> None:
    made_of = Path(sys.prefix) / ".constraints"
    if not made_of.is_file():
        pytest.skip("this environment was not made by make with constraints.txt")
    if made_of.read_bytes() != FILE.read_bytes():
        pytest.skip("this environment was made of other constraints")
    pinned = pins()
    site = [path for path in sys.path if Path(path).is_relative_to(sys.prefix)]
    installed = {
        canonicalize_name(one.name): Version(one.version) for one in distributions(path=site)
    }
    installed.pop("detzoo")
    other = {
        name: str(version)
        for name, version in installed.items()
        if pinned.get(name) != Version(version.public)
    }
    assert other == {}, f"pinned are { ({name: str(pinned.get(name)) for name in other}) }"
