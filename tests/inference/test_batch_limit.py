"""How large a batch is."""

import logging

import pytest
import torch

from zoo.inference.batch_limit import BatchLimit

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture(autouse=True)
def _an_empty_gpu(monkeypatch):
    """One of 80 GB, wherever the tests run."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (80 * 2**30, 80 * 2**30))
    for name in ("memory_reserved", "memory_allocated"):
        monkeypatch.setattr(torch.cuda, name, lambda _: 0)


def test_a_given_batch_size_is_kept():
    assert BatchLimit(7, CPU)((4000, 4000)) == 7


@pytest.mark.parametrize("device", [CPU, CUDA, torch.device("mps"), torch.device("xpu")])
def test_an_automatic_batch_shrinks_with_the_input_and_is_never_empty(device):
    limit = BatchLimit("auto", device)
    limits = [limit((side, side)) for side in (32, 320, 416, 640, 800, 1280, 8000)]
    assert limits == sorted(limits, reverse=True)
    assert limits[0] <= 32
    assert limits[-1] == 1


def test_an_automatic_batch_is_what_the_predictor_wants():
    wanted = {(320, 320): 8, (8, 8): 500, (4000, 4000): None, (1, 1): 0}
    limit = BatchLimit("auto", CPU, preferred=lambda height, width: wanted[height, width])
    assert [limit(size) for size in wanted] == [8, 32, BatchLimit("auto", CPU)((4000, 4000)), 1]
    assert BatchLimit(3, CPU, preferred=lambda *_: 8)((320, 320)) == 3


def test_where_memory_ran_out_a_predictor_s_wish_counts_no_more():
    limit = BatchLimit("auto", CPU, preferred=lambda *_: 8)
    limit.lower((320, 320), 8)
    assert (limit((320, 320)), limit((640, 640))) == (4, 1)


def test_a_gpu_gets_larger_batches_than_a_processor():
    assert BatchLimit("auto", CUDA)((640, 640)) > BatchLimit("auto", CPU)((640, 640))


def test_an_automatic_batch_reaches_the_network(lamps, paint):
    sizes = []
    lamps.register_forward_pre_hook(lambda _, args: sizes.append(len(args[0])))
    full = BatchLimit("auto", CPU)((320, 320))
    lamps.detect([paint(320, 320)] * (2 * full + 1))
    assert sizes == [full, full, 1]


def test_an_automatic_batch_fits_into_the_memory_that_is_free(monkeypatch):
    most = BatchLimit("auto", CUDA)((640, 640))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (4 * 2**30, 80 * 2**30))
    assert 1 <= BatchLimit("auto", CUDA)((640, 640)) < most
    monkeypatch.setattr(
        torch.cuda, "memory_reserved", lambda _: 76 * 2**30
    )  # by torch, which has it left of earlier work
    assert BatchLimit("auto", CUDA)((640, 640)) == most
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 76 * 2**30)
    assert BatchLimit("auto", CUDA)((640, 640)) < most
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (0, 80 * 2**30))
    assert BatchLimit("auto", CUDA)((640, 640)) == 1


@pytest.mark.parametrize("batch_size", [8, "auto"])
def test_where_memory_runs_out_batches_are_halved_and_stay_so(batch_size, lamps, paint, caplog):
    pictures = [paint(64, 64, red=(4 + number, 8, 30, 40)) for number in range(40)]
    expected = lamps.detect(pictures)
    sizes = []

    def forward(batch, forward=lamps.forward):
        sizes.append(len(batch))
        if len(batch) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return forward(batch)

    lamps.forward = forward
    with caplog.at_level(logging.INFO, "zoo"):
        found = lamps.detect(pictures, batch_size=batch_size)
    assert [one.source for one in found] == [one.source for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one.boxes, other.boxes)
        assert torch.equal(one.scores, other.scores)
    settled = sizes[sizes.index(2) :]
    assert [size for size in settled if size > 4] == []
    assert set(sizes[-4:]) == {2}
    told = [record for record in caplog.records if "does not hold" in record.message]
    assert {record.levelno for record in told} == {
        logging.INFO if batch_size == "auto" else logging.WARNING
    }
    assert "batch_size=2 (--batch-size 2)" in told[-1].message
    assert f"{sizes[0]} images of 64 x 64 input pixels" in told[0].message


def test_memory_that_runs_out_at_one_input_size_makes_batches_of_another_smaller_too():
    limit = BatchLimit(32, CPU)
    limit.lower((640, 640), 32)
    assert limit((640, 640)) == 16
    assert limit((320, 320)) == 32
    assert limit((1280, 640)) == 8
    limit.lower((640, 640), 32)  # a half of a batch that was made before
    assert limit((640, 640)) == 16
    limit.lower((640, 640), 2)  # the last two
    assert limit((640, 640)) == 1
