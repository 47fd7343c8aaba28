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
import json, os, sys
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

file, to, kind = sys.argv[1:]
data = read(file)
torch.manual_seed(0)
model = Mean() if kind == "mean" else yolox()
recipe = {"steps": 9, "batch_size": 5, "validate_every": 9, "ema": None, "workers": 0,
          "optimizer": {"name": "sgd", "lr": 0.05}, "clip": 1.0, "batch_norm": "frozen"}
result = train(model, data=data, validation=data, recipe=recipe, to=to, device="cpu",
               progress=False)
torch.manual_seed(1)
other = Mean()
rank = int(os.environ.get("RANK", 0))
if "RANK" in os.environ:
    meeting = f"file://{to}.meeting"
    torch.distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
    both = measure(other, data, batch_size=3, rank=rank, processes=2)
    torch.distributed.destroy_process_group()
    Path(f"{to}.{rank}.json").write_text(json.dumps(both))
else:
    Path(f"{to}.json").write_text(json.dumps(measure(other, data, batch_size=3)))
'''
TWO = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mean", "yolox"])
def test_two_processes_learn_and_measure_what_one_does(
    blocks_file: str, tmp_path: Path, kind: str
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for name, launcher in (("one", []), ("two", TWO)):
        words = [sys.executable, *launcher, str(script), blocks_file, str(tmp_path / name), kind]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    begun = load_file(sorted((tmp_path / "one" / "checkpoints").iterdir())[0])
    assert any(not torch.equal(value, begun[f"model.{name}"]) for name, value in one.items())
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-5, atol=1e-6)
    alone = json.loads((tmp_path / "one.json").read_text())
    for rank in (0, 1):
        assert json.loads((tmp_path / f"two.{rank}.json").read_text()) == alone
