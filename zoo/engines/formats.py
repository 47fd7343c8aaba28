"""Writes a detector as an ONNX, OpenVINO IR or `torch.export` file, with its facts inside."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import torch
from torch import Tensor

from zoo.engines import openvino_runtime
from zoo.engines.outputs import FlatNetwork
from zoo.extras import optional
from zoo.registry.exported import EXTRA, FACTS_KEY, IR, ExportFacts

Exporter = Literal["dynamo", "legacy"]
OPSET = 18
PIXELS = "pixels"
_CHATTY = ("torch.onnx", "torch.export", "torch._dynamo", "onnxscript", "onnx_ir", "torch.fx")


@dataclass(frozen=True)
class Trace:
    """A network to export, and its example inputs.

    inputs:  examples, pixels first; a fixed batch has as many images as they have.
    names, outputs: names of the graph's inputs and outputs. per_image: names of the outputs with a
        row per image.
    dynamic_batch, dynamic_size: whether the graph takes other numbers of images, other heights and
        widths.
    """

    network: FlatNetwork
    inputs: tuple[Tensor, ...]
    names: Sequence[str]
    outputs: Sequence[str]
    per_image: Sequence[str]
    dynamic_batch: bool
    dynamic_size: bool

    def shapes(self) -> dict[str, Any] | None:
        """The dynamic dimensions of each input, for `torch.export`."""
        auto = torch.export.Dim.AUTO
        batch = {0: auto} if self.dynamic_batch else {}
        sides = {2: auto, 3: auto} if self.dynamic_size else {}
        shapes: dict[str, Any] = {"pixels": {**batch, **sides}}
        if len(self.inputs) > 1:
            shapes["extras"] = tuple(dict(batch) for _ in self.inputs[1:])
        return shapes if batch or sides else None

    def axes(self) -> dict[str, dict[int, str]]:
        """The dynamic dimensions of each input and output, for the legacy exporter."""
        batch = {0: "batch"} if self.dynamic_batch else {}
        sides = {2: "height", 3: "width"} if self.dynamic_size else {}
        axes = {name: dict(batch) for name in (*self.names, *self.per_image)}
        axes[self.names[0]] |= sides
        if self.dynamic_size:
            for name in self.outputs:
                axes.setdefault(name, {})[int(name in self.per_image)] = f"{name}_rows"
        return {name: each for name, each in axes.items() if each}


def program_of(trace: Trace) -> torch.export.ExportedProgram:
    """The network as a `torch.export` program."""
    with quiet(), torch.no_grad():
        return torch.export.export(trace.network, trace.inputs, dynamic_shapes=trace.shapes())


def write_onnx(trace: Trace, path: Path, exporter: Exporter) -> None:
    """Writes the network as ONNX."""
    optional("onnx", wanted_for="An ONNX file")
    optional("onnxscript", wanted_for="An ONNX file", extra="onnx")
    with quiet(), torch.no_grad():
        if exporter == "dynamo":
            torch.onnx.export(
                program_of(trace),
                (),
                path,
                dynamo=True,
                input_names=list(trace.names),
                output_names=list(trace.outputs),
                opset_version=OPSET,
                external_data=False,
                verbose=False,
            )
        else:
            torch.onnx.export(
                trace.network,
                trace.inputs,
                path,
                dynamo=False,
                input_names=list(trace.names),
                output_names=list(trace.outputs),
                dynamic_axes=trace.axes(),
                opset_version=OPSET,
            )


def onnx_batch(path: Path) -> int | None:
    """The fixed batch size of an ONNX file; None if it takes any."""
    onnx: Any = optional("onnx", wanted_for="An ONNX file")
    dimension = onnx.load(path, load_external_data=False).graph.input[0].type.tensor_type.shape.dim
    first = dimension[0]
    return int(first.dim_value) if first.HasField("dim_value") else None


def label_onnx(path: Path, facts: ExportFacts) -> None:
    """Writes facts into an ONNX file."""
    onnx: Any = optional("onnx", wanted_for="An ONNX file")
    save_onnx(onnx.load(path), path, facts)


def save_onnx(model: Any, path: Path, facts: ExportFacts) -> None:
    """Writes an ONNX model with facts."""
    onnx: Any = optional("onnx", wanted_for="An ONNX file")
    model.producer_name, model.producer_version = "detzoo", facts.versions["detzoo"]
    onnx.helper.set_model_props(model, {FACTS_KEY: msgspec.json.encode(facts).decode()})
    onnx.save(model, path)


def write_openvino(onnx_file: Path, folder: Path, facts: ExportFacts) -> Path:
    """Writes an ONNX file as OpenVINO IR, in float32, into a folder; returns the graph's file."""
    library: Any = openvino_runtime.library()
    model = library.Core().read_model(onnx_file)
    model.set_rt_info(msgspec.json.encode(facts).decode(), [FACTS_KEY])
    library.save_model(model, folder / IR, compress_to_fp16=False)
    return folder / IR


def write_program(program: torch.export.ExportedProgram, path: Path, facts: ExportFacts) -> None:
    """Writes a `torch.export` program."""
    with quiet():
        torch.export.save(program, path, extra_files={EXTRA: msgspec.json.encode(facts).decode()})


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppresses the output and warnings of exporters; their errors are still raised."""
    loggers = [logging.getLogger(name) for name in _CHATTY]
    levels = [logger.level for logger in loggers]
    output = io.StringIO()
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(output),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
