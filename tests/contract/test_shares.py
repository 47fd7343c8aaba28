"""Counts of a batch: a lone process divides by its own; several are held together in
tests/train/test_processes.py."""

from pathlib import Path

import pytest
import torch
from torch import distributed

from zoo.contract.shares import count_in_batch, shared_batch

CPU = torch.device("cpu")


@pytest.mark.parametrize(("count", "expected"), [(0, 1.0), (1, 1.0), (7, 7.0)])
def test_a_lone_process_divides_by_its_own_objects(count: int, expected: float) -> None:
    assert count_in_batch(count, images=3, device=CPU) == expected
    with shared_batch(1):
        assert count_in_batch(count, images=3, device=CPU) == expected


def test_shares_are_counted_together_within_the_block_only(tmp_path: Path) -> None:
    distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1
    )
    try:
        with shared_batch(2):
            assert count_in_batch(6, images=3, device=CPU) == 6
            assert count_in_batch(0, images=3, device=CPU) == 1
    finally:
        distributed.destroy_process_group()
    assert count_in_batch(6, images=3, device=CPU) == 6
