"""`zoo train`: trains a detector on a data set, and keeps the best weights in a folder.

With `--json`, one object: path, step, steps, seconds, numbers, and held_out: share, seed and ids of
the validation images if they were split off here, else null.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from zoo.cli import output
from zoo.cli.format import format_percent
from zoo.cli.options import LABELS, Weights, labels_of, weights_of

METRICS_SHOWN = ("AP", "AP50", "AP75")


ModelOrRecipe = Annotated[
    str,
    typer.Argument(
        metavar="MODEL|RECIPE|FOLDER",
        help="A name that zoo list shows, a recipe (.yaml), or the folder of a run to --resume.",
    ),
]
Data = Annotated[
    str | None,
    typer.Option(metavar="coco:FILE", help="The images to train on, if the recipe has none."),
]
Validation = Annotated[
    str | None,
    typer.Option(
        metavar="coco:FILE", help="Measured; else the data's split val, or a tenth of it."
    ),
]
Labels = Annotated[str | None, typer.Option(metavar="NAMES", help=f"{LABELS} Else the data's.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="Override a field of the recipe: --set optimizer.lr=1e-3.",
    ),
]
To = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Folder of the run, else runs/MODEL-DATA.")
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the run in the folder, bit for bit.")
]

Device = Annotated[
    str | None,
    typer.Option(
        "--device", metavar="DEVICE", help="cpu, cuda, cuda:1 or mps; else a GPU if there is one."
    ),
]


def train(  # noqa: PLR0913 - one parameter an option
    model_or_recipe: ModelOrRecipe,
    data: Data = None,
    validation: Validation = None,
    labels: Labels = None,
    weights: Weights = None,
    settings: Settings = None,
    to: To = None,
    resume: Resume = False,
    device: Device = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Train a detector on a data set, and keep what it learned in a folder.

    What the recipe leaves out is the default of the model's family. A run that was stopped, or
    killed, goes on as if it had not been: zoo train FOLDER --resume.
    """
    # deferred: they import torch, which help does not need
    from zoo.train.recipe_file import merge, overrides, read_recipe
    from zoo.train.train import train as run

    is_recipe = model_or_recipe.endswith((".yaml", ".yml"))
    fields = merge(read_recipe(model_or_recipe) if is_recipe else {}, overrides(settings or ()))
    result = run(
        None if is_recipe else model_or_recipe,
        data=data,
        validation=validation,
        recipe=fields,
        labels=None if labels is None else labels_of(labels),
        weights=None if weights is None else weights_of(weights),
        to=to,
        resume=resume,
        device=device,
        say=_say,
    )
    if not result.main:
        return None
    if as_json:
        facts: dict[str, object] = {
            "path": str(result.path),
            "step": result.step,
            "steps": result.steps,
        }
        facts |= {"seconds": round(result.seconds, 1), "numbers": result.numbers}
        facts["held_out"] = None if result.held_out is None else asdict(result.held_out)
        return output.document(json.dumps(facts, indent=2))
    numbers = {name: value for name, value in result.numbers.items() if name in METRICS_SHOWN}
    measured = "  ".join(f"{name} {format_percent(value)}" for name, value in numbers.items())
    return output.line(f"{result.path}  step {result.step} of {result.steps}  {measured}".rstrip())


def _say(text: str) -> None:
    """Prints a line of progress to standard error; standard output is for the result."""
    output.line(text, err=True)
