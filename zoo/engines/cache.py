"""The cache of models that were exported for engines, and of the engines that agreed with torch on
this machine.

    $ZOO_HOME/engines/KEY/model.onnx         KEY/agreed.json
                          ENGINE/model.onnx  ENGINE/agreed.json   where it disagrees with the above
"""

from __future__ import annotations

import hashlib
import json
import logging
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from zoo.detectors.engine_request import EngineRequest
from zoo.engines.draft import Accept, Format, Refusal, Way, ways
from zoo.engines.export import export_for_engine
from zoo.engines.parity import Parity
from zoo.engines.trace import version_of
from zoo.environment import home
from zoo.errors import CacheError, UsageError
from zoo.files import unwritable, write_errors, write_file
from zoo.registry.exported import IR, SCHEMA

if TYPE_CHECKING:
    from zoo.engines.engine import Engine

FILES = {"onnx": "model.onnx", "torch": "model.pt2", "openvino": "model"}
_WRITERS = {"onnx": ("torch", "onnx", "onnxscript"), "torch": ("torch",)}
log = logging.getLogger("zoo")

_FIX = "Set ZOO_HOME to a folder that can be written: ZOO_HOME=/path/to/folder"


def find_or_export(request: EngineRequest, format: Format, *, refusal: Refusal) -> Path:
    """The model's exported file, from the cache or exported now.

    Raises: UsageError for random weights, which differ at each load; CacheError where it can't be
        kept; ExportError made by `refusal`.
    """
    resolved = request.resolved
    if resolved.file is None:
        raise UsageError(
            f"'{resolved.name}' can't be run by the engine {request.engine}.",
            "It has random weights, and exported files are cached by the hash of the weights.",
            "Load it with weights; or export it: zoo.export(model, to='model.onnx')",
        )
    path = _folder(request, format) / FILES[format]
    if not _graph(path).exists():
        _export_to(path, request, format, ways(format, None, None), refusal, None)
    return _graph(path)


def find_own(request: EngineRequest, format: Format) -> Path | None:
    """The file that was exported for this engine alone."""
    file = _graph(_own_folder(request, format) / FILES[format])
    return file if file.exists() else None


def export_own(
    request: EngineRequest,
    format: Format,
    ways: Sequence[Way],
    *,
    refusal: Refusal,
    accept: Accept,
) -> Path:
    """Exports the model for this engine alone. Raises: CacheError; ExportError made by `refusal`
    if `accept` takes none of the files."""
    path = _own_folder(request, format) / FILES[format]
    _export_to(path, request, format, ways, refusal, accept)
    return _graph(path)


def _folder(request: EngineRequest, format: Format) -> Path:
    return home() / "engines" / key_of(request, format)


def _own_folder(request: EngineRequest, format: Format) -> Path:
    return _folder(request, format) / request.engine.rpartition("/")[2]


def _graph(path: Path) -> Path:
    """The file with the graph; OpenVINO IR is a folder."""
    return path if path.suffix else path / IR


def _export_to(
    path: Path,
    request: EngineRequest,
    format: Format,
    ways: Sequence[Way],
    refusal: Refusal,
    accept: Accept | None,
) -> None:
    detector = request.detector()
    transfer = detector.head_transfer
    if transfer is not None and transfer.new_classes:
        raise UsageError(
            f"'{detector.name}' can't be run by the engine {request.engine}.",
            "Some of its weights are random, as it has classes that it never learned.",
            "Train it first.",
        )
    if reason := unwritable(path.parent):
        raise CacheError(
            f"The exported file of '{detector.name}' can't be kept.", f"{reason}.", _FIX
        )
    with write_errors(path, CacheError, fix=_FIX):
        export_for_engine(
            detector,
            to=path,
            format=format,
            ways=ways,
            refusal=refusal,
            accept=accept,
            progress=request.progress,
        )


def key_of(request: EngineRequest, format: str) -> str:
    """A fingerprint of the weights, the architecture, its input and classes, and the versions of
    the exporters."""
    resolved = request.resolved
    card = resolved.choice.entry.card
    facts = {
        "weights": {role: file.sha256 for role, file in sorted(resolved.files.items())},
        "settings": resolved.weights.post_load if resolved.weights else {},
        "architecture": card.architecture,
        "arguments": card.arguments,
        "input": msgspec.to_builtins(card.input),
        "classes": [request.new.names, request.new.channels],
        "format": format,
        "schema": SCHEMA,
        "versions": [version_of(name) for name in ("detzoo", *_WRITERS.get(format, ()))],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def has_agreed(file: Path, engine: Engine) -> bool:
    """Whether that engine is known to agree with torch on this machine."""
    return agreement_key(engine) in _read_agreements(file)


def note_agreed(file: Path, engine: Engine, parity: Parity) -> None:
    """Stores that an engine agrees; if that can't be written, engines are compared at each load."""
    agreements = _read_agreements(file) | {agreement_key(engine): asdict(parity)}
    try:
        write_file(file.parent / "agreed.json", json.dumps(agreements, indent=2))
    except OSError as error:
        log.warning("That %s agrees can't be remembered: %s", engine.engine, error.strerror)


def agreement_key(engine: Engine) -> str:
    """Engine, version and processor, as one key."""
    return f"{engine.engine} {engine.version} {platform.machine()} {_processor()}"


def _read_agreements(file: Path) -> dict[str, Any]:
    try:
        agreements: Any = json.loads((file.parent / "agreed.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return agreements if isinstance(agreements, dict) else {}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
