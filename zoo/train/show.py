"""Draws contact sheets of training images, as annotated and as augmented in each epoch."""

from __future__ import annotations

import os
from collections.abc import Sequence

import PIL.Image

from zoo.contract import Preprocess, Target
from zoo.data import Dataset, Sheets, read
from zoo.data.show import boxes_tile, check_some, drawn_rows, facts_of, legend_of
from zoo.detectors import Detector
from zoo.detectors.build import build, on_meta_device
from zoo.detectors.preprocess import CardPreprocess
from zoo.draw.gallery import in_columns
from zoo.draw.image import to_pil
from zoo.draw.sheet import CAPTION, GAP, Heading, Tile, content_width, sheet
from zoo.errors import DataError, ImageError, UsageError
from zoo.labels import LabelSpace
from zoo.labels.builtin import space_of
from zoo.progress import Bar
from zoo.registry import Choice, catalogue
from zoo.registry.card import Input
from zoo.registry.requirements import check_requirements
from zoo.train.data import images_of
from zoo.train.defaults import Given, base_recipe, complete, given_fields, preset_of
from zoo.train.recipe import Augmentation, Recipe
from zoo.train.sample import Sample
from zoo.train.samples import Samples
from zoo.train.setup import lookup_of
from zoo.weights.resolve import choose

COUNT, EPOCHS = 6, 3
IMAGES_PER_SHEET = 6
DEFAULT_INPUT = Input(resize="letterbox", size=[640, 640])  # of a recipe without a model


def show(  # noqa: PLR0913 - as zoo.train, and what is drawn
    model: str | Detector | None = None,
    *,
    data: str | os.PathLike[str] | Dataset,
    recipe: Given = None,
    labels: Sequence[str] | str | LabelSpace | None = None,
    split: str | None = None,
    count: int = COUNT,
    epochs: int = EPOCHS,
    seed: int = 0,
    progress: bool | None = None,
) -> Sheets:
    """Draws contact sheets of a data set before and after augmentation, one image per row.

    The augmented images are, to the pixel, those that `zoo.train` with these arguments uses in its
    first epochs: random numbers depend on the recipe's seed, the epoch and the image's id. Of a
    shorter run, only its own epochs are shown.

    model, recipe, labels: as for `zoo.train`; without a model, the input size is the recipe's
        `size`, or 640 x 640.
    data:   as for `zoo.data.read`.
    split:  the split to show; None is the images that `zoo.train` trains on.
    count, seed: as for `zoo.data.show`: how many images, and the seed that chooses them.
    epochs: how many are shown.
    Raises: as `zoo.train` for its arguments, and as `zoo.data.show`.
    """
    if epochs < 1:
        raise UsageError(f"epochs={epochs} can't be used.", "It shows nothing.", "Write epochs=1.")
    samples, space, title = _samples(model, read(data), split, recipe, labels)
    dataset = samples.dataset
    rows = drawn_rows(dataset, count, seed)
    lasting = samples.steps * samples.recipe.batch_size // len(dataset)
    shown_epochs = range(min(epochs, max(lasting, 1)))
    tiles: list[list[Tile]] = []
    flaws: list[tuple[str, str]] = []
    with Bar("Augmenting images", total=len(rows), show=progress) as bar:
        for row in rows:
            line, flaw = _line(samples, row, shown_epochs, space)
            tiles.append(line)
            flaws += [(dataset.files[row], flaw)] if flaw else []
            bar.advance()
    check_some(dataset, flaws, len(rows))
    heading = _heading(samples, title, shown_epochs)
    sheets = [
        _sheet(heading, tiles[first : first + IMAGES_PER_SHEET])
        for first in range(0, len(tiles), IMAGES_PER_SHEET)
    ]
    return Sheets(tuple(sheets), tuple(dataset.files[row] for row in rows), tuple(flaws))


def _samples(
    model: str | Detector | None,
    dataset: Dataset,
    split: str | None,
    recipe: Given,
    labels: Sequence[str] | str | LabelSpace | None,
) -> tuple[Samples, LabelSpace, str]:
    """The augmented images of a run, the classes of its model, and a title."""
    fields, preset = given_fields(recipe)
    name = model if isinstance(model, str) else fields.get("model")
    choice = choose(catalogue(), str(name)) if name and not isinstance(model, Detector) else None
    defaults = preset or preset_of(choice.entry.card if choice else None)
    if split is None:
        share = base_recipe(defaults, fields).validation_share
        dataset = images_of(dataset, fields.get("validation"), share).train
    else:
        dataset = dataset.splits[split]
    plan = complete(defaults, fields, images=len(dataset))
    if isinstance(model, Detector):
        space, preprocess = model.label_space, model.preprocess
    else:
        classes = labels or plan.labels or dataset.label_space.names
        space = space_of(classes if isinstance(classes, str | LabelSpace) else list(classes))
        preprocess = _preprocess(choice, space)
    if plan.size is not None:
        height, width = plan.size
        preprocess = preprocess.at((height, width))
    lookup = lookup_of(dataset.label_space, space)
    samples = Samples(dataset, lookup, preprocess, plan, plan.total_steps(len(dataset)))
    model_name = model.name if isinstance(model, Detector) else choice.name if choice else None
    sees = f"{model_name} sees it in training" if model_name else "training sees it"
    return samples, space, f"{dataset.name}, as {sees}"


def _preprocess(choice: Choice | None, space: LabelSpace) -> Preprocess:
    """The preprocessing of a model, whose network is built without content."""
    if choice is None:
        return CardPreprocess(DEFAULT_INPUT)
    check_requirements(choice.entry.card, choice.name)
    with on_meta_device():
        return build(catalogue(), choice, space).preprocess


def _line(samples: Samples, row: int, epochs: range, space: LabelSpace) -> tuple[list[Tile], str]:
    """Tiles of an image as annotated and in each epoch, and why it can't be read, or ""."""
    file = samples.dataset.files[row]
    tiles, flaws = [], []
    for epoch in (None, *epochs):
        try:
            sample = samples.load(row) if epoch is None else _augmented_sample(samples, epoch, row)
        except (DataError, ImageError) as error:  # maybe of another image of a mosaic
            flaws.append(error.case)
            tiles.append(Tile((4, 3), None, file, error.case))
            continue
        caption = file if epoch is None else ""
        target = Target(sample.boxes, sample.labels)
        tiles.append(boxes_tile(to_pil(sample.image), target, space, caption=caption))
    return tiles, flaws[0] if flaws else ""


def _augmented_sample(samples: Samples, epoch: int, row: int) -> Sample:
    """An image as it is augmented in an epoch."""
    image, target = samples[samples.position(epoch, row)]
    return Sample(image, target.boxes, target.labels)


def _heading(samples: Samples, title: str, epochs: range) -> Heading:
    dataset, lookup = samples.dataset, samples.lookup.tolist()
    legend = [
        (lookup[label], name, number)
        for label, name, number in legend_of(dataset)
        if lookup[label] >= 0
    ]
    facts = (facts_of(dataset), describe_augmentations(samples.recipe))
    columns = ("as annotated", *(f"epoch {epoch + 1}" for epoch in epochs))
    return Heading(title, facts, legend, columns)


def describe_augmentations(recipe: Recipe) -> str:
    """`Mosaic 0.5 to 1.5 (50 %), flip (50 %); seed 0`: the augmentations of a recipe in order."""
    steps = ", ".join(map(_step, recipe.augment)) or "no augmentation"
    return f"{steps[0].upper()}{steps[1:]}; seed {recipe.seed}"


def _step(step: Augmentation) -> str:
    low, high = getattr(step, "factors", (0, 0))
    factors = f" {low:g} to {high:g}" if high else ""
    return f"{type(step).__name__.lower()}{factors} ({step.probability:.0%})"


def _sheet(heading: Heading, lines: Sequence[Sequence[Tile]]) -> PIL.Image.Image:
    places = in_columns(
        [line[0].size[0] / line[0].size[1] for line in lines],
        columns=len(heading.columns),
        width=content_width(),
        gap=GAP,
        below=CAPTION,
    )
    return sheet(heading, [tile for line in lines for tile in line], places)
