"""Compares machines before work is sent: versions of packages, and the code of detzoo and of a
model's plugin."""

from __future__ import annotations

from collections.abc import Mapping

from zoo.errors import ClusterError

PACKAGES = ("detzoo", "torch", "torchvision", "numpy", "pillow")
_CODE = "code_sha256"


def check_about(here: Mapping[str, str], other: Mapping[str, str], *, name: str) -> None:
    """Raises: ClusterError if a machine lacks a package, or has another version of it."""
    differing = [package for package in PACKAGES if other.get(package) != here.get(package)]
    if not differing:
        return
    cases = [
        f"{package} {here[package]} (there: {other.get(package, 'none')})"
        for package in differing
        if package in here
    ] or [f"no {package}" for package in differing]
    exact = " ".join(f"'{package}=={here[package]}'" for package in differing if package in here)
    raise ClusterError(
        f"{name} can't be run on the machine {other['machine']}.",
        f"It differs from this machine, which has {', '.join(cases)}.",
        f"Install the same on every machine: pip install {exact or 'detzoo'}",
    )


def check_facts(
    expected: Mapping[str, str], other: Mapping[str, str], *, machine: str, name: str
) -> None:
    """Raises: ClusterError if the code of a loaded model, or what computes it, differs."""
    differing = [key for key, value in expected.items() if other.get(key) != value]
    if not differing:
        return
    if differing == [_CODE]:
        raise ClusterError(
            f"{name} can't be run on the machine {machine}.",
            "The code of detzoo or of the model's plugin differs there: its fingerprint is "
            f"{other.get(_CODE, 'unknown')[:12]}, and here {expected[_CODE][:12]}.",
            "Install the same detzoo and the same plugins on every machine, from the same files.",
        )
    cases = [f"{key} {expected[key]} (there: {other.get(key, 'none')})" for key in differing]
    raise ClusterError(
        f"{name} can't be run on the machine {machine}.",
        f"It differs from this machine, which has {', '.join(cases)}.",
        "Install the same packages on every machine: pip install -c constraints.txt 'detzoo[ray]'",
    )
