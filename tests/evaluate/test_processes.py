"""Real processes, as in distributed evaluation: padded shards, merged from bytes, are one
evaluation."""

import subprocess
import sys
from pathlib import Path

import pytest

WORKER = """
import sys
import numpy as np, torch.distributed as dist
from zoo.evaluate import Evaluator, GroundTruth, EdgeCasePolicy

rank, world, meeting, to = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
random = np.random.default_rng(0)
corner, side = random.uniform(0, 200, (50, 2)), random.uniform(5, 120, (50, 2))
image, label = random.integers(0, 21, 50), random.integers(0, 3, 50)
box = np.concatenate([corner, corner + side], 1)
boxes = {"image": image, "label": label, "box": box}
truth = GroundTruth.of(range(21), boxes, label_space=["a", "b", "c"])
score = random.uniform(size=50)
found = [
    {"boxes": box[image == one] + 2, "scores": score[image == one], "labels": label[image == one]}
    for one in range(21)
]
# padded, as DistributedSampler does: 21 images become 22
mine = (list(range(21)) + list(range(-21 % world)))[rank::world]
evaluator = Evaluator(truth, policy=EdgeCasePolicy(repeated_images="once"))
for one in mine:
    evaluator.update([one], [found[one]])
if world > 1:
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=world)
    states = [None] * world
    dist.all_gather_object(states, evaluator.state())
    dist.destroy_process_group()
    evaluator = Evaluator.from_state(states[-1], truth)
    for state in states[:-1]:
        evaluator.merge(Evaluator.from_state(state, truth))
open(f"{to}.{rank}", "wb").write(evaluator.state() + repr(evaluator.numbers()).encode())
"""


def run(world: int, folder: Path) -> list[bytes]:
    """What each of so many processes ends up with."""
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                WORKER,
                str(rank),
                str(world),
                str(folder / "meeting"),
                str(folder / f"of-{world}"),
            ]
        )
        for rank in range(world)
    ]
    assert [process.wait(120) for process in processes] == [0] * world
    return [(folder / f"of-{world}.{rank}").read_bytes() for rank in range(world)]


@pytest.mark.slow
def test_one_process_and_two_that_pad_their_shards_end_with_the_same_bits(tmp_path: Path) -> None:
    assert set(run(1, tmp_path)) == set(run(2, tmp_path))
