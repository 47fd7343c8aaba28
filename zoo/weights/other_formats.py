"""Recognises model formats that hold no weights the zoo reads: ONNX, TensorRT, TFLite."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from zoo.errors import CheckpointError

TORCHSCRIPT = "a TorchScript archive"
STARTS = {  # of the content
    re.compile(rb"\x08[\x01-\x20](\x12.[ -~]|:)", re.DOTALL): "an ONNX file",
    re.compile(rb"ftrt"): "a TensorRT engine",
    re.compile(rb"....TFL3", re.DOTALL): "a TFLite file",
    re.compile(rb"\x89HDF\r\n\x1a\n"): "an HDF5 file, as Keras writes",
}
SUFFIXES = {
    ".onnx": "an ONNX file",
    ".engine": "a TensorRT engine",
    ".plan": "a TensorRT engine",
    ".trt": "a TensorRT engine",
    ".tflite": "a TFLite file",
    ".h5": "an HDF5 file, as Keras writes",
    ".keras": "a Keras archive",
    ".mlmodel": "a Core ML file",
}
READABLE = (b"\x80", b"PK")  # a pickle and a zip archive, whatever they are called


def other_format(path: Path, name: str = "") -> str | None:
    """The format of a file by its content, else by the suffix of its name; None for what may be
    weights."""
    with path.open("rb") as file:
        head = file.read(64)
    if named := next((kind for start, kind in STARTS.items() if start.match(head)), None):
        return named
    if head.startswith(READABLE):
        return TORCHSCRIPT if _is_torchscript(path) else None
    return SUFFIXES.get(Path(name).suffix.lower()) if head else None


def check_format(path: Path, name: str) -> None:
    """Raises: CheckpointError if the file is of a format that the zoo does not read."""
    if (other := other_format(path, name)) is None:
        return
    fix = "The zoo reads .safetensors and .pth: save the weights of the network as one of them."
    if other == TORCHSCRIPT:
        new = f"{path.stem}-tensors.pth"
        fix = (
            f"The zoo reads .safetensors and .pth; save its tensors as one, in Python: "
            f'torch.save(torch.jit.load("{path}", map_location="cpu").state_dict(), "{new}")'
        )
    raise CheckpointError(f"{path} can't be used as weights.", f"It is {other}.", fix)


def _is_torchscript(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, RuntimeError, ValueError):
        return False
    return any("/code/" in name for name in names) and any(
        name.endswith("/constants.pkl") for name in names
    )
