"""Runs `zoo data split`: writes lists of images, and prints how large the parts are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from zoo.cli import output, stderr
from zoo.cli.format import format_percent, table
from zoo.data import Dataset, read
from zoo.data.splitting import DrawnLists, draw_lists
from zoo.errors import UsageError
from zoo.text import pluralize


def draw(
    source: str,
    to: Path,
    shares: Mapping[str, float],
    *,
    group_by: str | None,
    near_duplicates: bool,
    stratify: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Writes a list for each part whose share is above 0, and prints the sizes of the parts."""
    dataset = read(source)
    drawn = draw_lists(
        dataset,
        to,
        {name: share for name, share in shares.items() if share},
        group_by=group_by,
        together=_lookalikes(dataset) if near_duplicates else (),
        stratify=stratify,
        seed=seed,
    )
    if as_json:
        facts = _split_facts(drawn.dataset, to)
        output.document(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        output.lines(_split_table(drawn.dataset))
        output.line(f"{_result_sentence(drawn, to)} Read them with {source},splits={to}", err=True)
    if far := _far_from_share(shares, drawn):
        stderr.warning(far)


def _result_sentence(drawn: DrawnLists, to: Path) -> str:
    """A sentence that says what was written."""
    if not drawn.kept:
        return f"Lists written to {to}."
    if not drawn.placed:
        return f"The lists in {to} name every image already, and stay as they are."
    added = pluralize(drawn.placed, "image was", "images were")
    return f"{added} put into the lists in {to}; the others stay where they are."


def _far_from_share(shares: Mapping[str, float], drawn: DrawnLists) -> str:
    """A warning about the part that is furthest from its share; empty if that is less than half
    the share."""
    dataset = drawn.dataset
    targets = {name: share * len(dataset) for name, share in shares.items() if share}
    counts = {name: len(dataset.splits[name]) for name in targets if name in dataset.splits}
    name = max(targets, key=lambda part: abs(counts.get(part, 0) - targets[part]) / targets[part])
    if 2 * abs(counts.get(name, 0) - targets[name]) < targets[name]:
        return ""
    reason = (
        "the lists that were there are kept to. Another folder has room for other shares."
        if drawn.kept and drawn.placed
        else "each image is drawn by itself. --stratify keeps to the shares, and another --seed "
        "draws others; into another folder, as lists are kept to."
    )
    return (
        f"{name} has {pluralize(counts.get(name, 0), 'image')} of {len(dataset)}, far from a share "
        f"of {shares[name]:g}: {reason}"
    )


def _lookalikes(dataset: Dataset) -> list[list[int]]:
    """Groups of images that look the same, as indices. Raises: UsageError naming an image that
    can't be read."""
    import numpy as np

    from zoo.data.image_scan import scan_images
    from zoo.data.near_duplicates import groups_of, near_duplicates

    facts = scan_images(dataset.images)
    pixel_fields = [fact.fields for fact in facts if fact.fields is not None]
    if len(pixel_fields) < len(facts):
        row = next(row for row, fact in enumerate(facts) if fact.fields is None)
        case = f"Image {dataset.images[row].id!r} can't be read: {facts[row].flaw}."
        raise UsageError("Near-duplicates were looked for.", case, "Look first: zoo data check")
    return groups_of(near_duplicates(np.stack(pixel_fields))) if pixel_fields else []


def _split_facts(dataset: Dataset, to: Path) -> dict[str, object]:
    from zoo.data.check import boxes_of_classes

    parts = {
        name: {"images": len(part), "boxes": boxes_of_classes(part)}
        for name, part in dataset.splits.items()
    }
    return {"folder": str(to), "splits": parts}


def _split_table(dataset: Dataset) -> list[str]:
    """A table with the number of images and of boxes per class, and each split's share of them."""
    from zoo.data.check import boxes_of_classes

    parts = dataset.splits
    boxes = [boxes_of_classes(part) for part in parts.values()]
    rows = [("images", f"{len(dataset):,}", *_shares([len(part) for part in parts.values()]))]
    for label in dataset.label_space.names:
        counts = [of_part[label] for of_part in boxes]
        rows.append((label, f"{sum(counts):,}", *_shares(counts)))
    return table(("", "all", *(f"{name} %" for name in parts)), rows, right=("all",))


def _shares(counts: list[int]) -> list[str]:
    total = sum(counts)
    return [format_percent(count / total if total else None) for count in counts]
