"""Compares machines before work is sent: versions, and the code of detzoo and of a model's
plugin."""

from __future__ import annotations

from collections.abc import Mapping

from zoo.errors import ClusterError

PACKAGES = ("detzoo", "torch", "torchvision", "numpy", "pillow")
_CODE = "code_sha256"


def check_about(here: Mapping[str, str], other: Mapping[str, str], *, name: str) -> None:
    """Raises: ClusterError where a machine lacks a package, or has another version of it."""
    wrong = [package for package in PACKAGES if other.get(package) != here.get(package)]
    if not wrong:
        return
    cases = [
        f"{package} {here[package]} (there: {other.get(package, 'none')})"
        for package in wrong
        if package in here
    ] or [f"no {package}" for package in wrong]
    exact = " ".join(f"'{package}=={here[package]}'" for package in wrong if package in here)
    raise ClusterError(
        f"{name} can't be run on the machine {other['machine']}.",
        f"It has not what this machine has: {', '.join(cases)}.",
        f"Install the same on every machine: pip install {exact or 'detzoo'}",
    )


def check_facts(
    expected: Mapping[str, str], other: Mapping[str, str], *, machine: str, name: str
) -> None:
    """Raises: ClusterError where the code of a loaded model, or what computes it, is another."""
    wrong = [key for key, value in expected.items() if other.get(key) != value]
    if not wrong:
        return
    if wrong == [_CODE]:
        raise ClusterError(
            f"{name} can't be run on the machine {machine}.",
            "The code of detzoo, or of the plugin that the model is of, is another there: its "
            f"fingerprint is {other.get(_CODE, 'unknown')[:12]}, and here {expected[_CODE][:12]}.",
            "Install the same detzoo and the same plugins on every machine, from the same files.",
        )
    cases = [f"{key} {expected[key]} (there: {other.get(key, 'none')})" for key in wrong]
    raise ClusterError(
        f"{name} can't be run on the machine {machine}.",
        f"It does not do what this machine does: {', '.join(cases)}.",
        "Install the same packages on every machine: pip install -c constraints.txt 'detzoo[ray]'",
    )
