"""Two processes are one: they step with the gradients of the whole batch, and measure the same
bits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

SCRIPT = '''
import json, os, sys, time
from pathlib import Path
import torch
from torch import nn
import zoo
from zoo.data import read
from zoo.labels.builtin import space_of
from zoo.testing.toy import Toy
from zoo.train.train import train
from zoo.train.validation import measure

class Mean(Toy):
    """Toy with a loss that is a mean over images, and without batch norm and dropout."""

    def __init__(self):
        super().__init__(space_of(["dark", "bright"]))
        self.norm, self.drop = nn.Identity(), nn.Identity()

    def loss(self, outputs, batch, targets):
        parts = super().loss(outputs, batch, targets)
        return {**parts, "size": parts["size"] / len(batch)}

def yolox():
    """Its loss divides by its objects; batch norms, which are of each share, are frozen."""
    return zoo.compose(backbone="timm/test_resnet", head="yolox", labels=["dark", "bright"],
                       neck="pafpn", head_arguments={"channels": 32},
                       input={"resize": "letterbox", "size": [64, 64]})

file, folder = sys.argv[1:]
to = Path(folder)
data = read(file)
recipe = {"steps": 9, "batch_size": 5, "validate_every": 9, "ema": None, "workers": 0,
          "optimizer": {"name": "sgd", "lr": 0.05}, "clip": 1.0, "batch_norm": "frozen"}
rank, processes = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
for kind in (Mean, yolox):
    if processes > 1 and rank == 0 and kind is yolox:
        time.sleep(2)  # behind the other, which does not run into what the first run left
    torch.manual_seed(0)
    train(kind(), data=data, validation=data, recipe=recipe, to=to / kind.__name__, device="cpu",
          progress=False)
torch.manual_seed(1)
other = Mean()
measured = measure(other, data, batch_size=3, rank=rank, processes=processes)
(to / f"{rank}.json").write_text(json.dumps(measured))
'''
TWO = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@pytest.mark.slow
def test_two_processes_learn_and_measure_what_one_does(blocks_file: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for name, launcher in (("one", []), ("two", TWO)):
        words = [sys.executable, *launcher, str(script), blocks_file, str(tmp_path / name)]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    for kind in ("Mean", "yolox"):
        folders = [tmp_path / name / kind for name in ("one", "two")]
        one, two = (load_file(folder / "model.safetensors") for folder in folders)
        begun = load_file(sorted((folders[0] / "checkpoints").iterdir())[0])
        assert any(not torch.equal(value, begun[f"model.{name}"]) for name, value in one.items())
        for name, value in one.items():
            torch.testing.assert_close(two[name], value, rtol=1e-5, atol=1e-6)
    alone = json.loads((tmp_path / "one" / "0.json").read_text())
    for rank in (0, 1):
        assert json.loads((tmp_path / "two" / f"{rank}.json").read_text()) == alone


@pytest.mark.slow
def test_a_batch_with_fewer_images_than_processes_is_refused_in_words(
    blocks_file: str, tmp_path: Path
) -> None:
    words = [sys.executable, *TWO, "-m", "zoo", "train", "yolox_nano", "--weights", "random"]
    words += ["--data", f"coco:{blocks_file}", "--device", "cpu", "--to", str(tmp_path / "run")]
    words += ["--set", "batch_size=1"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode != 0
    assert "with 2 processes there are 2 shares of it" in done.stderr
    assert "--set batch_size=2" in done.stderr
    assert not (tmp_path / "run").exists()


NORMS = '''
import hashlib, json, os, sys
from pathlib import Path
from zoo.data import read
from zoo.labels.builtin import space_of
from zoo.testing.toy import Toy
from zoo.train.train import train

class Watched(Toy):
    """Toy, which knows the networks that it was when it was not in train mode."""

    def __init__(self):
        super().__init__(space_of(["dark", "bright"]))
        self.measured = []

    def forward(self, batch, targets=None):
        if not self.training:
            content = b"".join(value.numpy().tobytes() for value in self.state_dict().values())
            self.measured.append(hashlib.sha256(content).hexdigest())
        return super().forward(batch, targets)

file, folder = sys.argv[1:]
data, measured = read(file), []
for number, ema in enumerate((None, {"decay": 0.5})):
    model = Watched()
    recipe = {"steps": 2, "batch_size": 4, "validate_every": 2, "workers": 0, "ema": ema,
              "batch_norm": "train"}
    train(model, data=data, validation=data, recipe=recipe, to=Path(folder, str(number)),
          device="cpu", progress=False)
    measured.append(model.measured[0])
Path(folder, f"{os.environ['RANK']}.json").write_text(json.dumps(measured))
'''


@pytest.mark.slow
def test_both_processes_measure_the_network_that_the_first_keeps(
    blocks_file: str, tmp_path: Path
) -> None:
    script = tmp_path / "norms.py"
    script.write_text(NORMS)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    words = [sys.executable, *TWO, str(script), blocks_file, str(tmp_path)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert len(set(first)) == 2  # without an average of the weights, and with one
    assert first == second


FAMILIES = """
import os, sys
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
import zoo
from zoo.contract import Target
from zoo.train.objective import Objective

torch.set_num_threads(1)
rank = int(os.environ["RANK"])
distributed.init_process_group("gloo")
labels = ["dark", "bright"]
for name in sys.argv[1:]:
    torch.manual_seed(0)
    if "/" in name:
        neck, head = name.split("/")
        model = zoo.compose(backbone="timm/test_resnet", neck=neck, head=head, labels=labels,
                            neck_arguments={"channels": 64})
    else:
        model = zoo.load(name, weights=False, labels=labels, device="cpu")
    model.train()
    preprocess = model.preprocess.at((64, 64))
    wrapped = DistributedDataParallel(Objective(model, processes=2))
    trained = {key: value for key, value in model.named_parameters() if value.requires_grad}
    optimizer = torch.optim.SGD(trained.values(), lr=1e-4)
    images = [torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8) for _ in range(2)]
    full = Target(torch.tensor([[8.0, 8, 40, 48]]), torch.tensor([1]))
    empty = Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))
    for step in range(2):  # the other rank has no object at all in each of them
        targets = [full if rank == step else empty] * 2
        losses = wrapped(preprocess(images), targets)
        total = torch.stack(list(losses.values())).sum()
        assert total.isfinite(), (name, rank, losses)
        optimizer.zero_grad()
        total.backward()
        assert all(value.grad is not None for value in trained.values()), name
        same = torch.stack([value.grad.double().sum() for value in trained.values()])
        both = [torch.zeros_like(same) for _ in range(2)]
        distributed.all_gather(both, same)
        assert torch.equal(*both) and same.abs().sum() > 0, name
        optimizer.step()
    if rank == 0:
        print("learned", name, flush=True)
distributed.barrier()  # neither leaves while the other still reads what it sent
distributed.destroy_process_group()
"""
NAMES = (  # as published where that is small, else the family's head on a small backbone
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "ssdlite320_mobilenet_v3_large",
    "yolox_nano",
    *("fpn/retinanet", "fpn/fcos", "fpn/fasterrcnn"),
)


@pytest.mark.slow
def test_every_family_steps_where_one_process_has_no_object(tmp_path: Path) -> None:
    script = tmp_path / "families.py"
    script.write_text(FAMILIES)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    words = [sys.executable, *TWO, str(script), *NAMES]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines()] == list(NAMES)
