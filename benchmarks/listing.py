"""How long a shell waits for a list of models: `zoo list` and `zoo show` against torchvision's and
timm's, in cold processes.

All bundled plugins are on. "10,000 cards" adds a user's registry file with that many cards to the
same commands, with a warm index; the one run that has to parse it is stated by itself. Each run is
a process of its own, the commands take turns, and the median counts. The exit code is 0 if the
promise is kept: at least 10 times as fast as either peer, and with 10,000 cards at most 1.5 times
as long as without.

    python benchmarks/listing.py [--runs 9] [--json OUT]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODEL = "fasterrcnn_resnet50_fpn"
ZOO = "from zoo.cli import main; main()"
PEERS = {
    "torchvision.models.list_models()": (
        "import torchvision; print(len(torchvision.models.list_models()))"
    ),
    "timm.list_models()": "import timm; print(len(timm.list_models()))",
}
COMMANDS = {
    "zoo list": [ZOO, "list"],
    f"zoo show {MODEL}": [ZOO, "show", MODEL],
    "zoo list, 10,000 cards": [ZOO, "list"],
    f"zoo show {MODEL}, 10,000 cards": [ZOO, "show", MODEL],
} | {name: [code] for name, code in PEERS.items()}
CARD = """\
  bench_{number:05}:
    architecture: torchvision/fasterrcnn_resnet50_fpn
    family: Faster R-CNN
    summary: Number {number} of many, as a company that trains a model a customer would have them.
    paper: https://arxiv.org/abs/1506.01497
    labels: coco91
    input:
      resize: shortest_edge
      size: [800, 1333]
      mean: [0.485, 0.456, 0.406]
      std: [0.229, 0.224, 0.225]
    parameters: {parameters}
    gflops: {gflops}
    licenses: {{code: BSD-3-Clause, weights: null, data: null}}
    default: v1
    weights:
      v1:
        megabytes: 159.7
        post_load: {{frozen_bn_eps: 0.0}}
        files:
          model:
            - kind: url
              url: "https://example.org/weights/bench_{number:05}.pth"
              sha256: "{number:08x}"
        claims:
          - {{dataset: coco_val2017, metric: AP, value: {ap}, source: "https://example.org/cards/{number}"}}
"""

DISTRIBUTIONS = ("detzoo", "msgspec", "pluggy", "typer", "pyyaml", "torch", "torchvision", "timm")


def write_cards(path: Path, count: int) -> None:
    """A registry file with so many cards, no two the same."""
    cards = (
        CARD.format(
            number=number,
            parameters=30_000_000 + number * 1000,
            gflops=100 + number / 100,
            ap=20 + number % 300 / 10,
        )
        for number in range(count)
    )
    path.write_text("schema: 2\ncards:\n" + "".join(cards))


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """How long the command takes, from start to exit."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", *command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.perf_counter() - started
    if done.returncode or not done.stdout:
        raise SystemExit(done.stderr)
    return took


def measure(runs: int) -> tuple[dict[str, float], float]:
    """Median seconds of each command, and the seconds of the one run that parses 10,000 cards."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_cards(folder / "many.yaml", 10_000)
        plain = {key: value for key, value in os.environ.items() if not key.startswith("ZOO_")} | {
            "ZOO_HOME": str(folder / "home")
        }
        many = plain | {"ZOO_REGISTRY": str(folder / "many.yaml")}
        environments = {command: many if "10,000" in command else plain for command in COMMANDS}
        time.sleep(2.5)  # a file that changed just now is not trusted by its times
        seconds(COMMANDS["zoo list"], plain)
        uncached = seconds(COMMANDS["zoo list"], many)
        for command, words in COMMANDS.items():
            seconds(words, environments[command])
        took = [
            {command: seconds(words, environments[command]) for command, words in COMMANDS.items()}
            for _ in range(runs)
        ]
    return {
        command: statistics.median(run[command] for run in took) for command in COMMANDS
    }, uncached


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--json")
    asked = parser.parse_args()
    from table import compile_project, report

    compile_project()

    median, uncached = measure(asked.runs)
    fastest_peer = min(median[peer] for peer in PEERS)
    rows = [
        {
            "command": command,
            "seconds": f"{took:.3f}",
            "times as fast as the faster peer": "1.0"
            if took == fastest_peer
            else f"{fastest_peer / took:.1f}",
        }
        for command, took in median.items()
    ]
    growth = {
        command: median[f"{command}, 10,000 cards"] / median[command]
        for command in ("zoo list", f"zoo show {MODEL}")
    }
    notes = [
        f"median of {asked.runs} runs each; with 10,000 cards "
        + " and ".join(
            f"`{command}` takes {ratio:.2f} times as long" for command, ratio in growth.items()
        )
        + ".",
        f"The first `zoo list` after 10,000 cards were written parses them: {uncached:.1f} s.",
    ]
    report(
        "Listing models in a cold process",
        rows,
        distributions=DISTRIBUTIONS,
        notes=notes,
        to=asked.json,
    )
    slowest = max(took for command, took in median.items() if command.startswith("zoo"))
    raise SystemExit(fastest_peer / slowest < 10 or max(growth.values()) > 1.5)


if __name__ == "__main__":
    main()
