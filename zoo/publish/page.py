"""Writes the model page: a README with the Hub's metadata, the model's data, licences and numbers
with intervals, and how to load it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from zoo.errors import ZooError
from zoo.evaluate import Report
from zoo.publish.result_folder import CURVES, Facts, ResultFolder, is_file
from zoo.registry import catalogue
from zoo.registry.card import Licenses
from zoo.text import join_first, pluralize

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

NUMBERS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR100")
LIBRARY, TASK = "detzoo", "object-detection"
UNKNOWN = "not stated"
MAX_CLASSES_SHOWN = 20
# Licences that the Hub knows by their SPDX identifier in lower case.
_HUB_LICENSES = """
    apache-2.0 mit bsl-1.0 bsd-2-clause bsd-3-clause bsd-3-clause-clear cc0-1.0 cc-by-2.0 cc-by-3.0
    cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0
    cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0
    cdla-permissive-1.0 cdla-permissive-2.0 cdla-sharing-1.0 epl-1.0 epl-2.0 eupl-1.1 eupl-1.2
    agpl-3.0 gpl-2.0 gpl-3.0 lgpl-2.1 lgpl-3.0 isc mpl-2.0 ms-pl ncsa ofl-1.1 osl-3.0 postgresql
    unlicense wtfpl zlib odbl pddl
"""


def model_page(result: ResultFolder, repo: str, licenses: Licenses) -> str:
    """The README of a result in the repository `repo`."""
    return f"---\n{_metadata(result, repo, licenses)}\n---\n" + "\n".join(
        _lines(result, repo, licenses)
    )


def _metadata(result: ResultFolder, repo: str, licenses: Licenses) -> str:
    """The Hub's metadata as YAML, without a licence if it is unknown."""
    from huggingface_hub import ModelCardData  # deferred: slow

    name = repo.partition("/")[2]
    family = result.card.family
    license, license_name = _hub_license(licenses.weights)
    data = ModelCardData(
        library_name=LIBRARY,
        pipeline_tag=TASK,
        tags=[TASK, LIBRARY, *([family.lower()] if family else [])],
        license=license,
        license_name=license_name,
    )
    if result.report is not None:
        data.model_name, data.eval_results = name, _eval_results(result.report)
    return str(data.to_yaml())


def _hub_license(license: str | None) -> tuple[str | None, str | None]:
    """The Hub's identifier of a licence, and, if it is `other`, the licence's name."""
    if license is None:
        return None, None
    plain = license.lower().removesuffix("-only").removesuffix("-or-later")
    return (plain, None) if plain in _HUB_LICENSES.split() else ("other", license.lower())


def _eval_results(report: Report) -> list[EvalResult]:
    from huggingface_hub import EvalResult  # deferred: slow

    return [
        EvalResult(
            task_type=TASK,
            dataset_type=report.measured.data,
            dataset_name=report.measured.data,
            metric_type=name,
            metric_name=name,
            metric_value=round(100 * value, 2),
        )
        for name in NUMBERS
        if (value := report.numbers.get(name)) is not None
    ]


def _lines(result: ResultFolder, repo: str, licenses: Licenses) -> Iterator[str]:
    name = repo.partition("/")[2]
    labels = result.card.labels
    yield from [f"# {name}", "", *_summary(result), ""]
    yield from ["## Load it", "", "```sh", *_installs(result), "```", ""]
    yield from ["```python", "import zoo", "", f'detector = zoo.load("hub:{repo}")']
    yield from ['detections = detector.detect("image.jpg")', "```", ""]
    yield f"Or, in a shell: `zoo detect image.jpg --model hub:{repo}`."
    yield from [f"To stay with this very model, name its commit: `hub:{repo}@COMMIT`.", ""]
    yield "## Classes"
    shown = labels if isinstance(labels, str) else _classes(labels)
    yield from ["", f"{shown}", ""]
    yield from ["## Data", "", *_data(result.facts, result), ""]
    yield from ["## Numbers", "", *_numbers(result.report), ""]
    if (result.path / CURVES).is_file():
        yield from [f"![Losses and the best number over the steps]({CURVES})", ""]
    yield from ["## Licences", "", *_licenses(licenses), ""]


def _summary(result: ResultFolder) -> Iterator[str]:
    card, recipe = result.card, result.recipe
    family = f"{card.family} detector" if card.family else "detector"
    yield f"A {family} for {_count(result)}, trained with detzoo."
    model, weights = recipe.get("model"), recipe.get("weights")
    if model is not None:
        yield _beginning(str(model), weights)
    if (backbone := recipe.get("backbone")) is not None:
        yield _backbone(str(backbone))


def _backbone(name: str) -> str:
    """The origin of the backbone's weights, which replace those of the model, in a sentence."""
    if is_file(name):
        return "Its backbone began with the weights of a model that is not published here."
    return f"Its backbone began with the weights of that of `{name}`{_began_with(name, None)}."


def _beginning(model: str, weights: object) -> str:
    """The weights with which training began, in a sentence."""
    own = is_file(model)
    shown = "a model of a folder that is not published here" if own else f"`{model}`"
    if weights in ("random", False):
        return f"It is {shown}, trained from random weights."
    if is_file(weights):
        return f"It is {shown}, trained from weights of a file that is not published here."
    if own:
        return f"It began with the weights of {shown}."
    tag = f", {weights}" if isinstance(weights, str) else ""
    return f"It began with the weights of `{model}`{tag}{_began_with(model, weights)}."


def _began_with(model: str, weights: object) -> str:
    """A clause with the licence of the weights with which training began, if their card has one."""
    try:
        choice = catalogue().resolve(model)
    except ZooError:
        return ""
    tag = weights if isinstance(weights, str) else choice.tag
    card = choice.entry.card
    published = card.weights.get(tag or "")
    license = card.licenses_of(published).weights if published else None
    return f", whose licence is {license}" if license else ""


def _count(result: ResultFolder) -> str:
    labels = result.card.labels
    return f"the classes {labels}" if isinstance(labels, str) else _plural(len(labels))


def _plural(number: int) -> str:
    return pluralize(number, "class", "classes")


def _classes(labels: list[str]) -> str:
    return join_first([f"`{name}`" for name in labels], MAX_CLASSES_SHOWN)


def _installs(result: ResultFolder) -> Iterator[str]:
    plugin = result.card.architecture.partition("/")[0]
    info = next((info for info in catalogue().plugins if info.name == plugin), None)
    other = info.distribution if info else None
    yield "pip install " + " ".join(dict.fromkeys([LIBRARY, other or LIBRARY]))


def _data(facts: Facts, result: ResultFolder) -> Iterator[str]:
    note = result.choice.weights.note if result.choice.weights else None
    if note:
        yield note
    if "validation" in facts:
        digest = facts.get("validation_sha256", "")[:12]
        yield f"Validated on {facts['validation']}, sha256 {digest}{_held_out(facts)}."
    if not note and not facts:
        yield "Nothing is known of the data that it was trained on."
    yield "The images are not published here; the sha256 tells whether others are the same."


def _held_out(facts: Facts) -> str:
    """A clause on the validation images, if they were split off the data."""
    off = facts.get("held_out")
    if off is None:
        return ""
    images = pluralize(len(off["ids"]), "image")
    data = facts.get("data", "the data")
    return f": {images}, a share of {off['share']:g} of {data}, split off before training"


def _numbers(report: Report | None) -> Iterator[str]:
    if report is None:
        yield "Nothing was measured when it was trained."
        return
    measured = report.measured
    images, boxes = pluralize(measured.images, "image"), pluralize(measured.boxes, "box", "boxes")
    yield f"Measured on {measured.data}: {images}, {boxes}. In percent, with the interval that"
    yield "bootstrapping over the images gives. These images also chose the step whose weights are"
    yield from ["kept, which flatters the numbers:", "", "| number | value | interval |"]
    yield "|---|---|---|"
    for name in NUMBERS:
        value, interval = report.numbers.get(name), report.intervals.get(name)
        if value is not None:
            span = f"{100 * interval.low:.1f} to {100 * interval.high:.1f}" if interval else ""
            yield f"| {name} | {100 * value:.1f} | {span} |"
    level = next((interval.level for interval in report.intervals.values()), None)
    where = f"The intervals are of {100 * level:g} %. " if level else ""
    yield from ["", f"{where}All numbers, each class and the versions are in `report.json`."]
    for note in measured.notes:
        yield from ["", note]


def _licenses(licenses: Licenses) -> Iterator[str]:
    for subject, license in (
        ("weights", licenses.weights),
        ("data", licenses.data),
        ("code", licenses.code),
    ):
        yield f"- of the {subject}: {license or UNKNOWN}"
    if licenses.weights is None:
        yield ""
        yield "Whoever published these weights has not stated a licence: ask before you use them."
