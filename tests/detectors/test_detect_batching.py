"""How large a batch is."""

import pytest
import torch

from zoo.detectors.batching import batch_limit

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def test_a_given_batch_size_is_kept():
    assert batch_limit(7, (4000, 4000), CPU) == 7


@pytest.mark.parametrize("device", [CPU, CUDA, torch.device("mps"), torch.device("xpu")])
def test_an_automatic_batch_shrinks_with_the_input_and_is_never_empty(device):
    limits = [batch_limit("auto", (side, side), device) for side in (32, 320, 416, 640, 800, 1280, 8000)]
    assert limits == sorted(limits, reverse=True)
    assert limits[0] <= 32
    assert limits[-1] == 1


def test_a_gpu_gets_larger_batches_than_a_processor():
    assert batch_limit("auto", (640, 640), CUDA) > batch_limit("auto", (640, 640), CPU)


def test_an_automatic_batch_reaches_the_network(lamps, paint):
    sizes = []
    lamps.register_forward_pre_hook(lambda _, args: sizes.append(len(args[0])))
    full = batch_limit("auto", (320, 320), CPU)
    lamps.detect([paint(320, 320)] * (2 * full + 1))
    assert sizes == [full, full, 1]
