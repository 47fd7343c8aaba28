"""Provenance of a number, as plain text by key, the same in predictions and reports.

of the model     model · card_sha256 · weights_sha256 · weights_source
                 exported_from (the weights_sha256 of what an exported file was made of)
                 files_sha256 (JSON, of the files besides the checkpoint, by role)
                 labels_sha256 (of classes that are not the card's)
                 state_sha256 (weights in memory) · plugin · code_sha256
of the data      data · data_sha256 (annotations)
                 images_sha256 (ids, file names and contents of the images)
of the engine    engine (its name and version; left out for torch)
of the protocol  protocol · protocol_sha256 · protocol_settings (JSON, as given)
                 settings_in_force (JSON, no gaps)
of the software  detzoo · python · torch · torchvision · numpy · pillow
of the hardware  device · processor · threads · system
of the run       started · finished (UTC, ISO 8601) · seconds (of detecting)
                 results_sha256 (of a foreign results file)

Unknown facts are left out.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.limits import check_json
from zoo.registry.dist_info import name_and_version

if TYPE_CHECKING:
    import torch

Facts = Mapping[str, str]
_PACKAGES = ("detzoo", "torch", "torchvision", "numpy", "pillow")


def software() -> dict[str, str]:
    """The versions that a number may depend on."""
    versions = {"python": platform.python_version()}
    installed = _installed_versions()
    for package in _PACKAGES:
        if version := installed.get(package) or _version(package):
            versions[package] = version
    return versions


def _installed_versions() -> dict[str, str]:
    """Versions as the folders of installed distributions are named; reading their metadata instead
    takes 40 ms."""
    packages: dict[str, str] = {}
    for folder in sys.path:
        with suppress(OSError):
            for name in os.listdir(folder or "."):
                package, version = name_and_version(name) or ("", None)
                if version:
                    packages.setdefault(
                        package.lower(), version
                    )  # the first on the path is imported
    return packages


def _version(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version  # deferred: as said above

    try:
        return version(package)
    except PackageNotFoundError:  # a checkout that is not installed
        return None


def hardware(device: torch.device | None = None) -> dict[str, str]:
    """The machine; with the device that the network runs on."""
    facts = {
        "processor": _processor(),
        "threads": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
    }
    if device is not None:
        import torch  # deferred: reading predictions needs none

        facts["threads"] = str(torch.get_num_threads())
        facts["device"] = (
            torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
        )
    return {key: value for key, value in facts.items() if value}


def now() -> str:
    """This moment, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def joined(parts: Iterable[Facts]) -> dict[str, str]:
    """Facts of several parts of one run: what differs between them is listed, in order, with
    semicolons."""
    values_of: dict[str, dict[str, None]] = {}
    for part in parts:
        for key, value in part.items():
            values_of.setdefault(key, {})[value] = None
    return {key: "; ".join(values) for key, values in values_of.items()}


def flaw(facts: Facts) -> str | None:
    """The flaw of an entry whose text is parsed; None if it has none."""
    for key, (read, description) in _READ.items():
        if key in facts:
            try:
                read(facts[key])
            except ValueError:
                value = f"{facts[key][:80]!r}, not {description}"
                return f"The entry '{key}' of its provenance is {value}."
    return None


def settings_of(facts: Facts) -> dict[str, Any] | None:
    """The settings of the protocol; None if unknown, as for the results list of another tool."""
    try:
        return _settings(facts.get("protocol_settings", ""))
    except ValueError:
        return None


def _seconds(text: str) -> None:
    if not 0 <= float(text) < float("inf"):
        raise ValueError


def _settings(text: str) -> dict[str, Any]:
    check_json(text.encode(errors="replace"))
    settings = json.loads(text)
    if not isinstance(settings, dict):
        raise ValueError
    return settings


_READ: dict[str, tuple[Callable[[str], object], str]] = {
    "started": (datetime.fromisoformat, "a time such as 2026-01-31T12:00:00+00:00"),
    "finished": (datetime.fromisoformat, "a time such as 2026-01-31T12:00:00+00:00"),
    "seconds": (_seconds, "a number of seconds"),
    "protocol_settings": (_settings, "settings as a JSON object"),
    "settings_in_force": (_settings, "settings as a JSON object"),
}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.processor(),
    )
