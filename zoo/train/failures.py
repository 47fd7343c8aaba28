"""Explains the failures of a step: a loss that is not a number, or too little memory."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from torchvision.transforms.v2.functional import to_pil_image

from zoo.contract import Batch
from zoo.contract.predictor import is_out_of_memory
from zoo.draw import save
from zoo.errors import TrainError
from zoo.files import write_file
from zoo.text import join_first, pluralize
from zoo.train.recipe import Recipe
from zoo.train.samples import MicroBatch, Samples

MAX_IMAGES_SHOWN = 3
# The error of torch's batch norm.
_ONE_VALUE = "Expected more than 1 value per channel"


def is_a_number(parts: Mapping[str, float]) -> bool:
    """Whether every loss is finite."""
    return all(math.isfinite(value) for value in parts.values())


def no_number(
    step: int,
    parts: Mapping[str, float],
    group: Sequence[MicroBatch],
    samples: Samples,
    folder: Path,
) -> TrainError:
    """The error for a loss that is not a number; writes the batch's images and boxes."""
    batch_folder = folder / "not-a-number"
    batch_folder.mkdir(parents=True, exist_ok=True)
    boxes: list[dict[str, object]] = []
    names: list[str] = []
    for micro_batch in group:
        for position in micro_batch.span.positions:
            epoch, row = samples.epoch_and_row(position)
            record = samples.dataset.images[row]
            image, target = samples[position]
            save(to_pil_image(image), batch_folder / f"{len(names)}.png")
            names.append(record.path.name)
            boxes.append(
                {
                    "image": f"{len(boxes)}.png",
                    "id": record.id,
                    "file": str(record.path),
                    "epoch": epoch,
                    "boxes": target.boxes.tolist(),
                    "labels": target.labels.tolist(),
                }
            )
    document = {"step": step, "losses": {name: str(value) for name, value in parts.items()}}
    write_file(batch_folder / "batch.json", json.dumps({**document, "images": boxes}, indent=2))
    wrong = ", ".join(
        f"{name} {value}" for name, value in parts.items() if not is_a_number({name: value})
    )
    return TrainError(
        f"Step {step} gave no number to train on.",
        f"The losses are {wrong}, on {join_first(names, MAX_IMAGES_SHOWN)}. The batch as the "
        f"network had it, with its boxes, is in {batch_folder}.",
        "Look at these boxes; if they are right, lower optimizer.lr, or set clip to 10.",
    )


@contextmanager
def enough_values(batch: Batch) -> Iterator[None]:
    """Explains the error of a batch norm that gets one value per channel. Raises: TrainError."""
    try:
        yield
    except ValueError as error:
        if not str(error).startswith(_ONE_VALUE):
            raise
        count, _, height, width = batch.pixels.shape
        raise TrainError(
            f"{pluralize(count, 'image')} of {height} x {width} can't be trained on at once.",
            "A batch norm gets one value per channel, which has no variance.",
            "Use a larger size or batch_size, a smaller accumulate, or statistics as they were "
            "loaded: --set batch_norm=fixed",
        ) from error


@contextmanager
def enough_memory(
    recipe: Recipe, *, step: int, size: Sequence[int], processes: int
) -> Iterator[None]:
    """Explains what to lower if memory runs out in the block.

    size: of the network's input, as `Preprocess.size`. Raises: TrainError.
    """
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        images = -(-recipe.batch_size // (processes * recipe.accumulate))
        fixes = [
            *(_fewer_at_once(recipe, images, processes) if images > 1 else []),
            *(["precision=bfloat16"] if recipe.precision == "float32" else []),
            "a smaller size",
        ]
        raise TrainError(
            f"Step {step} needs more memory than there is.",
            f"It computed {pluralize(images, 'image')} of {size[0]} x {size[1]} at once: {error}",
            f"Lower one of these with --set: {', '.join(fixes)}. With --resume the run goes on "
            "only with the same recipe; start it again in another folder.",
        ) from error


def _fewer_at_once(recipe: Recipe, images: int, processes: int) -> Iterator[str]:
    """Settings that about halve the images at once, with at least one per micro-batch."""
    batch, parts = recipe.batch_size, processes * recipe.accumulate
    yield f"batch_size={max(batch // 2, parts)}"
    more = -(-batch // (processes * (images // 2)))
    if processes * more <= batch:
        yield f"accumulate={more} (the same batch, in more parts)"
