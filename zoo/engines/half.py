"""Stores weights in float16, at half the file size; the arithmetic stays in float32.

Each weight tensor is stored in float16 and cast when the graph is read or run. Biases and the
statistics of normalisation stay in float32: they are about 1 % of the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor, nn

from zoo.engines import openvino_runtime
from zoo.engines.formats import quiet, save_onnx, write_program
from zoo.extras import optional
from zoo.registry.exported import FACTS_KEY, IR, ExportFacts

FLOAT16 = "float16"
_MIN_NUMBERS = 256  # in a tensor that is worth a cast


def write_half(file: Path, folder: Path, facts: ExportFacts) -> Path:
    """Writes a copy of an exported file with weights in float16 into an empty folder."""
    if facts.format == "onnx":
        return _half_onnx(file, folder / file.name, facts)
    if facts.format == "openvino":
        return _half_openvino(file, folder / IR, facts)
    program = torch.export.load(file)
    with quiet():
        halve_program(program)
    write_program(program, folder / file.name, facts)
    return folder / file.name


def _half_onnx(file: Path, to: Path, facts: ExportFacts) -> Path:
    onnx: Any = optional("onnx", wanted_for="An ONNX file")
    model = onnx.load(file)
    halve_onnx(model)
    save_onnx(model, to, facts)
    return to


def halve_onnx(model: Any) -> None:
    """Stores the weights of an ONNX model in float16, each followed by a cast to float32; runtimes
    cast once, when they read the file."""
    onnx: Any = optional("onnx", wanted_for="An ONNX file")
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        half = _to_half(torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy()))
        if half is None:
            continue
        name = tensor.name
        tensor.CopyFrom(onnx.numpy_helper.from_array(half.numpy(), f"{name}.{FLOAT16}"))
        casts.append(
            onnx.helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT)
        )
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _half_openvino(file: Path, to: Path, facts: ExportFacts) -> Path:
    library: Any = openvino_runtime.library()
    model = library.Core().read_model(file)
    model.set_rt_info(msgspec.json.encode(facts).decode(), [FACTS_KEY])
    library.save_model(model, to, compress_to_fp16=True)
    return to


def halve_program(program: torch.export.ExportedProgram) -> None:
    """Stores the weights of a program in float16, each followed by a cast to float32."""
    graph, signature = program.graph, program.graph_signature
    names = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    inputs = [node for node in graph.nodes if node.op == "placeholder"]
    for node in inputs:
        name = names.get(node.name)
        value = program.state_dict.get(name) if name else None
        half = None if value is None else _to_half(value.detach())
        if half is None or name is None:
            continue
        float32_value = node.meta["val"]
        node.meta["val"] = float32_value.to(torch.float16)
        with graph.inserting_after(inputs[-1]):
            cast = graph.call_function(torch.ops.aten.to.dtype, (node, torch.float32))
        cast.meta["val"] = float32_value
        node.replace_all_uses_with(cast, delete_user_cb=lambda user, cast=cast: user is not cast)
        is_parameter = isinstance(value, nn.Parameter)
        program.state_dict[name] = nn.Parameter(half, requires_grad=False) if is_parameter else half
    program.graph_module.recompile()


def _to_half(tensor: Tensor) -> Tensor | None:
    """The tensor in float16; None if it stays in float32."""
    if tensor.dtype != torch.float32 or tensor.dim() < 2 or tensor.numel() < _MIN_NUMBERS:
        return None
    half = tensor.half()
    return half if bool(half.isfinite().all()) else None
