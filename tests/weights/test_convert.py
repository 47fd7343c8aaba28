"""A `.pth` becomes the same tensors in a safetensors file, once."""

import logging
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save

import zoo.weights
from zoo.environment import home
from zoo.errors import CheckpointError
from zoo.weights.convert import Mappable, mappable
from zoo.weights.records import sha256_of

Saved = Callable[..., bytes]


@pytest.fixture
def convert(tmp_path: Path, saved: Saved) -> Callable[..., Mappable]:
    def convert(
        what: object, *, state_key: str | None = None, name: str = "net.pth", **options: object
    ) -> Mappable:
        published = tmp_path / name
        published.write_bytes(what if isinstance(what, bytes) else saved(what, **options))
        return mappable(published, sha256=sha256_of(published), name=name, state_key=state_key)

    return convert


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.bool, torch.uint8]
)
def test_every_tensor_keeps_its_values_and_its_type(
    convert: Callable[..., Mappable], dtype: torch.dtype, zipped: bool
) -> None:
    tensors = {
        "a": torch.tensor([[0, 1], [2, 3]]).to(dtype),
        "scalar": torch.tensor(1).to(dtype),
        "none": torch.empty(0, 4, dtype=dtype),
    }
    read = load_file(convert(tensors, _use_new_zipfile_serialization=zipped).path)
    assert {name: (one.dtype, one.tolist()) for name, one in read.items()} == {
        n: (t.dtype, t.tolist()) for n, t in tensors.items()
    }


def test_shared_sliced_and_turned_tensors_come_out_whole(convert: Callable[..., Mappable]) -> None:
    base = torch.arange(12.0).reshape(3, 4)
    tensors = {
        "base": base,
        "same": base,
        "row": base[1],
        "turned": base.t(),
        "spread": torch.ones(1).expand(5),
    }
    read = load_file(convert(tensors).path)
    assert all(read[name].equal(one) for name, one in tensors.items())


def test_parameters_and_ordered_dicts_are_what_training_saves(
    convert: Callable[..., Mappable],
) -> None:
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.BatchNorm2d(4))
    read = load_file(convert(OrderedDict(net.state_dict(keep_vars=True))).path)
    assert all(read[name].equal(one) for name, one in net.state_dict().items())


@pytest.mark.parametrize(
    ("wrapped", "key"),
    [
        (lambda t: {"model": t, "epoch": 1}, "model"),
        (lambda t: {"ema": {"module": t}}, "ema.module"),
        (lambda t: {"ema.module": t}, "ema.module"),
    ],
)
def test_the_tensors_are_where_the_key_says(
    convert: Callable[..., Mappable], wrapped: Callable, key: str
) -> None:
    assert list(load_file(convert(wrapped({"a": torch.ones(2)}), state_key=key).path)) == ["a"]


def test_a_key_that_is_not_there_is_refused_with_those_that_are(
    convert: Callable[..., Mappable],
) -> None:
    with pytest.raises(
        CheckpointError, match=r"under 'model'; there is: a\.(.|\n)*take state_key off the card"
    ):
        convert({"a": torch.ones(2)}, state_key="model")


def test_a_key_of_another_file_is_only_tried(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2)}, tmp_path / "net.pth")
    assert list(
        load_file(zoo.weights.locate(f"file:{tmp_path / 'net.pth'}", state_key="model").path)
    ) == ["a"]


def test_what_is_no_tensor_is_left_out_and_reported(
    convert: Callable[..., Mappable], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "zoo"):
        found = convert({"a": torch.ones(2), "epoch": 3, "names": ["cat"], 7: torch.ones(1)})
    assert found.dropped == ("epoch", "names", "7")
    assert "epoch, names, 7" in caplog.text
    assert list(load_file(found.path)) == ["a"]


@pytest.mark.parametrize(
    ("what", "key", "said"),
    [
        ({"model": {"a": 1}}, "model", "no tensors under 'model'; there is: model"),
        ({}, None, "no tensors at its top level; there is: nothing"),
        ([torch.ones(1)], None, "there is: a list"),
        (torch.ones(1), None, "there is: a Tensor"),
    ],
)
def test_where_there_are_no_tensors_it_says_what_there_is(
    convert: Callable[..., Mappable], what: object, key: str | None, said: str
) -> None:
    with pytest.raises(CheckpointError, match=f"{said}.\nUse another file"):
        convert(what, state_key=key)


STATE = {"a": torch.ones(1), "b": torch.ones(1)}


@pytest.mark.parametrize(
    ("what", "key", "entry", "dotted"),
    [
        ({"model": STATE}, None, '["model"]', "model"),
        ({"model": STATE}, "ema", '["model"]', "model"),
        (
            {"optimizer": {"state": {0: {"exp": torch.ones(1)}}}, "ema": {"module": STATE}},
            None,
            '["ema"]["module"]',
            "ema.module",
        ),
    ],
)
def test_tensors_in_another_entry_are_found_and_the_line_that_saves_them_alone_works(
    convert: Callable[..., Mappable],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    what: object,
    key: str,
    entry: str,
    dotted: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match=f"It has 2 tensors under '{dotted}'") as caught:
        convert(what, state_key=key)
    line, then, card = caught.value.fix.splitlines()
    assert then == 'Then load that: weights="file:net-tensors.pth"'
    assert card == f"Or name the entry on the weights' card: state_key: {dotted}"
    assert f"{entry}, " in line
    exec(line.partition("in Python: ")[2], {"torch": torch})
    [saved] = tmp_path.glob("*-tensors.pth")
    assert torch.load(saved) == STATE


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (torch.ones(2, 2).to_sparse(), "not a dense tensor"),
        (torch.ones(2, dtype=torch.complex128), "safetensors can't"),
    ],
)
def test_a_tensor_that_safetensors_does_not_know_is_refused(
    convert: Callable[..., Mappable], odd: torch.Tensor, said: str
) -> None:
    with pytest.raises(CheckpointError, match=said):
        convert({"odd.weight": odd})
    assert not list(home().glob("converted/*.safetensors"))


def test_it_is_converted_once(convert: Callable[..., Mappable]) -> None:
    first = convert({"a": torch.ones(2), "epoch": 3})
    written = first.path.stat().st_mtime_ns
    assert convert({"a": torch.ones(2), "epoch": 3}) == first
    assert first.path.stat().st_mtime_ns == written
    assert first.converted == sha256_of(first.path)


def test_a_converted_file_that_was_damaged_is_made_again(convert: Callable[..., Mappable]) -> None:
    first = convert({"a": torch.ones(2)})
    data = first.path.read_bytes()
    first.path.write_bytes(data[:-1] + b"x")
    assert convert({"a": torch.ones(2)}).path.read_bytes() == data


def test_a_converted_file_that_was_only_moved_is_not_made_again(
    convert: Callable[..., Mappable],
) -> None:
    first = convert({"a": torch.ones(2)})
    copy = first.path.read_bytes()
    first.path.unlink()
    first.path.write_bytes(copy)
    written = first.path.stat().st_mtime_ns
    assert convert({"a": torch.ones(2)}) == first
    assert first.path.stat().st_mtime_ns == written


def test_two_keys_of_one_file_are_two_converted_files(convert: Callable[..., Mappable]) -> None:
    what = {"model": {"a": torch.ones(2)}, "ema": {"a": torch.zeros(2)}}
    assert load_file(convert(what, state_key="model").path)["a"].tolist() == [1, 1]
    assert load_file(convert(what, state_key="ema").path)["a"].tolist() == [0, 0]


def test_a_safetensors_file_is_used_where_it_is_whatever_it_is_called(
    convert: Callable[..., Mappable], tmp_path: Path
) -> None:
    data = save({"a": torch.ones(2)})
    assert convert(data, name="net.safetensors") == Mappable(tmp_path / "net.safetensors")
    assert convert(data, name="net.bin") == Mappable(tmp_path / "net.bin")
    assert not (home() / "converted").exists()
