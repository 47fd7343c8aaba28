"""How long a name takes to become a detector: `zoo.load` against torchvision's builder, on the same
weights.

All load Faster R-CNN ResNet-50 FPN: torchvision from a `.pth` in the cache of torch.hub; the zoo
from the cache of a loopback Hub, and from a user's own file, for the first time (hashed, every
number looked at, a `.pth` converted) and later. Each run is a process of its own that imports
everything before the clock starts; runs alternate. "memory" is what loading adds to the peak of
private memory (anonymous pages: what can't be dropped and read again); "touched" is the same after
one image has gone through. The boxes of all are compared bit by bit.

    python benchmarks/load.py [--runs 7] [--only hub own …] [--no-image] [--json OUT]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NAME = "fasterrcnn_resnet50_fpn"
FILE = f"{NAME}_coco-258fb6c6.pth"
# What is loaded, and whether it is for the first time.
LOADERS = {
    "torchvision": ("torchvision builder + load_state_dict", False),
    "hub": ("zoo.load, from the Hub's cache", False),
    "own": ("zoo.load, own .safetensors", False),
    "pth": ("zoo.load, own .pth", False),
    "own first": ("zoo.load, own .safetensors, first time", True),
    "pth first": ("zoo.load, own .pth, first time", True),
}


def private_bytes() -> int:
    """Anonymous memory of this process now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024
    raise SystemExit("this benchmark reads RssAnon from /proc/self/status and needs Linux")


def run_child(loader: str, spec: str, *, image: bool) -> None:
    """One measured load, in this process; prints one JSON line. image: whether one goes through the
    network afterwards."""
    import torch
    import torchvision
    from torch import nn
    from torchvision.models.detection import fasterrcnn_resnet50_fpn
    from torchvision.ops import FrozenBatchNorm2d

    import zoo.detectors

    zoo.catalogue().builder("architectures", NAME, plugin="torchvision")
    assert torchvision.__version__
    torch.manual_seed(0)
    pixels = torch.randint(0, 256, (3, 240, 320), dtype=torch.uint8)
    before = private_bytes()
    started = time.perf_counter()
    if loader != "torchvision":
        model = zoo.load(NAME, weights=spec, progress=False)
        network: nn.Module = model.get_submodule("net")
    else:
        network = fasterrcnn_resnet50_fpn(weights="COCO_V1", progress=False).eval()
    seconds = time.perf_counter() - started
    memory = private_bytes() - before
    measured = {"seconds": seconds, "memory": memory, "touched": memory, "boxes": 0, "digest": 0}
    if not image:
        print(json.dumps(measured))
        return
    if loader != "torchvision":
        for module in network.modules():  # as torchvision's builder does for these weights
            if isinstance(module, FrozenBatchNorm2d):
                module.eps = 0.0
        detections = model.detect(pixels, score=0.05)
        boxes, scores = detections.boxes, detections.scores
    else:
        with torch.inference_mode():
            out = network([pixels / 255])[0]
        boxes, scores = out["boxes"], out["scores"]
    measured |= {
        "touched": private_bytes() - before,
        "boxes": len(boxes),
        "digest": hash((boxes.numpy().tobytes(), scores.numpy().tobytes())),
    }
    print(json.dumps(measured))


def make_weights(folder: Path) -> tuple[Path, Path]:
    """Random weights of the trained configuration, as torchvision's `.pth` and as safetensors."""
    import torch
    from safetensors.torch import save_file
    from torchvision.models.detection import fasterrcnn_resnet50_fpn
    from torchvision.ops import FrozenBatchNorm2d

    torch.manual_seed(0)
    pth = folder / "torch" / "hub" / "checkpoints" / FILE
    pth.parent.mkdir(parents=True)
    import torchvision.models.detection.faster_rcnn as faster_rcnn

    body = faster_rcnn.resnet50(weights=None, norm_layer=FrozenBatchNorm2d)
    model = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    model.backbone = faster_rcnn._resnet_fpn_extractor(body, 3)
    # so that random weights leave boxes to compare
    model.roi_heads.box_predictor.cls_score.weight.data.mul_(40)
    torch.save(model.state_dict(), pth)
    safe = folder / "model.safetensors"
    save_file(model.state_dict(), safe)
    return pth, safe


def measure(
    loader: str, spec: str, environment: dict[str, str], *, image: bool
) -> dict[str, float]:
    if LOADERS[loader][1]:
        with tempfile.TemporaryDirectory() as empty:
            return measure_in(loader, spec, environment | {"ZOO_HOME": empty}, image=image)
    return measure_in(loader, spec, environment, image=image)


def measure_in(
    loader: str, spec: str, environment: dict[str, str], *, image: bool
) -> dict[str, float]:
    done = subprocess.run(
        [
            sys.executable,
            __file__,
            "--child",
            loader,
            "--spec",
            spec,
            *([] if image else ["--no-image"]),
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


Runs = list[dict[str, dict[str, float]]]


def measure_all(loaders: list[str], runs: int, *, image: bool) -> Runs:
    """Every loader in turn, so many times, beside a loopback Hub; one more run fills the caches
    first."""
    from zoo.testing import LoopbackHub

    with tempfile.TemporaryDirectory() as name, LoopbackHub() as hub:
        folder = Path(name)
        pth, safe = make_weights(folder)
        commit = hub.add("bench/fasterrcnn", {"model.safetensors": safe})
        environment = os.environ | {
            "TORCH_HOME": str(folder / "torch"),
            "ZOO_HOME": str(folder / "zoo"),
            "HF_HOME": str(folder / "hf"),
            "HF_ENDPOINT": hub.endpoint,
            "PYTHONHASHSEED": "0",
        }
        places = {
            "hub": f"hub:bench/fasterrcnn@{commit}",
            "own": f"file:{safe}",
            "pth": f"file:{pth}",
            "torchvision": "",
        }
        specs = {loader: places[loader.partition(" ")[0]] for loader in loaders}
        return [
            {one: measure(one, spec, environment, image=image) for one, spec in specs.items()}
            for _ in range(runs + 1)
        ][1:]


def rows_of(runs: Runs) -> list[dict[str, str]]:
    """A row a loader, with its medians."""
    rows = []
    base = statistics.median(run["torchvision"]["seconds"] for run in runs)
    for loader in runs[0]:
        seconds, memory, touched = (
            statistics.median(run[loader][key] for run in runs)
            for key in ("seconds", "memory", "touched")
        )
        rows.append(
            {
                "loader": LOADERS[loader][0],
                "seconds": f"{seconds:.3f}",
                "times as fast": f"{base / seconds:.1f}",
                "memory MB": f"{memory / 1e6:.0f}",
                "touched MB": f"{touched / 1e6:.0f}",
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json")
    parser.add_argument("--child", choices=LOADERS)
    parser.add_argument("--spec", default="")
    parser.add_argument("--only", nargs="+", choices=LOADERS, default=list(LOADERS))
    parser.add_argument(
        "--no-image", dest="image", action="store_false", help="load and nothing else"
    )
    asked = parser.parse_args()
    if asked.child:
        run_child(asked.child, asked.spec, image=asked.image)
        return
    from table import compile_project, report

    compile_project()
    runs = measure_all(
        [loader for loader in LOADERS if loader in {"torchvision", *asked.only}],
        asked.runs,
        image=asked.image,
    )
    same = len({one["digest"] for run in runs for one in run.values()}) == 1
    note = f"Median of {asked.runs} runs each."
    if asked.image:
        boxes = runs[0]["torchvision"]["boxes"]
        note = (
            f"{boxes} boxes of one image are {'bit-equal' if same else 'NOT EQUAL'}; median of "
            f"{asked.runs} runs each."
        )
    title = "Loading Faster R-CNN ResNet-50 FPN"
    report(
        title, rows_of(runs), distributions=["torch", "torchvision"], notes=[note], to=asked.json
    )
    raise SystemExit(not same)


if __name__ == "__main__":
    main()
