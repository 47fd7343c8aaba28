"""What wraps a network's forward wraps the whole network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

import zoo
from zoo.contract import Target
from zoo.testing.conformance.images import scene

PARTS = {
    "fasterrcnn": {"neck": "fpn", "neck_arguments": {"channels": 64, "coarser": 0}},
    "retinanet": {"neck": "fpn", "neck_arguments": {"channels": 64}},
    "yolox": {"neck": "pafpn", "head_arguments": {"channels": 32}},
}


@pytest.fixture
def process_group(tmp_path: Path) -> Iterator[None]:
    distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1
    )
    yield
    distributed.destroy_process_group()


@pytest.mark.usefixtures("process_group")
@pytest.mark.parametrize("head", PARTS)
def test_distributed_data_parallel_finds_every_parameter_used(head: str) -> None:
    torch.manual_seed(0)
    detector = zoo.compose(
        backbone="timm/test_resnet",
        head=head,
        labels=["a", "b"],
        input={"resize": "letterbox", "size": [64, 64]},
        **PARTS[head],
    ).train()
    wrapped = DistributedDataParallel(detector)
    batch = detector.preprocess([scene(seed=1), scene(seed=2)])
    targets = [Target(torch.tensor([[4.0, 6, 40, 44]]), torch.tensor([label])) for label in (0, 1)]
    for _ in range(2):  # the second forward fails if the first backward left a parameter out
        outputs = wrapped(batch, targets)
        losses = detector.loss(outputs, batch, targets)
        torch.stack(list(losses.values())).sum().backward()
    assert all(one.grad is not None for one in detector.parameters() if one.requires_grad)


def test_a_compiled_network_is_not_compiled_again_for_images_that_lie_elsewhere() -> None:
    detector = zoo.compose(
        backbone="timm/test_resnet",
        head="yolox",
        labels=["a", "b"],
        input={"resize": "letterbox", "size": [64, 64]},
        head_arguments={"channels": 32},
        strides=(16,),
    )
    compiled = torch.compile(detector, backend="eager", fullgraph=True)
    batches = [detector.preprocess([image]) for image in (scene(), scene(96, 128), scene(64, 48))]
    with torch.inference_mode():
        compiled(batches[0])
        with torch.compiler.set_stance("fail_on_recompile"):
            for batch in batches:
                assert torch.equal(compiled(batch).values, detector(batch).values)
