"""Models in formats that are not weights are told by their name and content."""

from pathlib import Path

import pytest
import torch

from zoo.errors import CheckpointError
from zoo.weights.convert import mappable
from zoo.weights.other_formats import other_format

ONNX = b"\x08\x08\x12\x07pytorch\x1a\x052.3.0:" + bytes(100)


def refusal(file: Path, name: str | None = None) -> str:
    with pytest.raises(CheckpointError) as raised:
        mappable(file, sha256="0" * 64, name=name or file.name, state_key=None)
    return str(raised.value)


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (ONNX, "x.onnx", "an ONNX file"),
        (ONNX, "x.pth", "an ONNX file"),
        (b"some old or damaged content", "x.onnx", "an ONNX file"),
        (b"ftrt" + bytes(100), "x.engine", "a TensorRT engine"),
        (b"any version" * 9, "X.ENGINE", "a TensorRT engine"),
        (b"\x1c\0\0\0TFL3" + bytes(100), "x.tflite", "a TFLite file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "x.pt", "an HDF5 file, as Keras writes"),
    ],
)
def test_another_format_is_told_with_what_the_zoo_reads(
    tmp_path: Path, content: bytes, name: str, kind: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    said = refusal(file)
    assert f"{file} can't be used as weights.\nIt is {kind}." in said
    assert ".safetensors and .pth" in said
    assert "damaged" not in said


@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_a_torchscript_archive_is_told_with_the_line_that_saves_its_tensors(tmp_path: Path) -> None:
    file = tmp_path / "x.pt"
    torch.jit.script(torch.nn.Linear(2, 3)).save(str(file))
    said = refusal(file)
    assert "It is a TorchScript archive." in said
    assert f'torch.jit.load("{file}", map_location="cpu").state_dict()' in said


def test_onnx_in_a_file_that_is_called_safetensors_is_told(tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    file.write_bytes(ONNX)
    assert "it is an ONNX file" in refusal(file)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_checkpoint_is_read_whatever_it_is_called(tmp_path: Path, zipped: bool) -> None:
    file = tmp_path / "x.onnx"
    torch.save({"a": torch.ones(2)}, file, _use_new_zipfile_serialization=zipped)
    assert other_format(file, file.name) is None
    assert mappable(file, sha256="1" * 64, name=file.name, state_key=None).path.is_file()


def test_an_empty_file_is_of_no_format(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").touch()
    assert other_format(tmp_path / "x.onnx", "x.onnx") is None
