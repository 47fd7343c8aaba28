"""What a protocol decides besides thresholds: suppression across classes, and the arithmetic of the
network."""

import torch

from zoo.detectors import Protocol
from zoo.inference.stream import stream


def seen(lamps, picture, protocol):
    [found] = stream(lamps, [picture], protocol=protocol, threads=0)
    return found


def test_boxes_of_any_class_give_way_to_a_better_one_only_where_asked(lamps) -> None:
    with torch.no_grad():
        lamps.tint.weight.copy_(torch.eye(3).view(3, 3, 1, 1))  # yellow is red and green
    picture = torch.zeros(3, 64, 64, dtype=torch.uint8)
    picture[:2, 10:40, 10:40] = 255
    assert len(seen(lamps, picture, Protocol(iou=0.5))) == 2
    assert len(seen(lamps, picture, Protocol(iou=0.5, nms="all"))) == 1


def test_short_precision_is_what_the_network_computes_in(lamps) -> None:
    kinds = []
    lamps.tint.register_forward_hook(lambda _, __, out: kinds.append(out.dtype))
    for precision in ("float32", "bfloat16"):
        seen(lamps, torch.full((3, 32, 32), 128, dtype=torch.uint8), Protocol(precision=precision))
    assert kinds == [torch.float32, torch.bfloat16]
