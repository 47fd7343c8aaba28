"""Contact sheets of findings: a part of the image around each box that is wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.data.check import Check
from zoo.data.finding import CHECKS, Finding
from zoo.data.image_records import files_of
from zoo.data.show import COUNT
from zoo.errors import DataError, ImageError
from zoo.files import write_errors
from zoo.text import pluralize

if TYPE_CHECKING:
    import PIL.Image

    from zoo.draw.sheet import Tile

AROUND = 1.0  # times the box's longer side is shown on each side of it
LEAST = 48  # pixels of that


def write_sheets(check: Check, folder: Path) -> list[Path]:
    """Writes a sheet of the first findings of each check that are about boxes, `CHECK.jpg`. Returns
    where.

    Raises: DataError, ImageError where the disk says no.
    """
    from zoo.draw import save  # deferred: torch

    groups: dict[str, list[Finding]] = defaultdict(list)
    for finding in check.findings:
        if finding.box is not None and finding.image is not None:
            groups[finding.check].append(finding)
    with write_errors(folder, DataError, fix="Name a folder that can be written."):
        folder.mkdir(parents=True, exist_ok=True)
    rows = {file: row for row, file in reversed([*enumerate(files_of(check.dataset.images))])}
    return [
        save(_sheet(check, findings, rows), folder / f"{name}.jpg")
        for name, findings in groups.items()
    ]


def _sheet(check: Check, findings: list[Finding], rows: Mapping[str, int]) -> PIL.Image.Image:
    from zoo.draw.sheet import Heading, sheet_of_rows

    name, many = findings[0].check, len(findings)
    facts = [f"{check.dataset.name}: {CHECKS[name][1]}"]
    if many > COUNT:
        facts.append(f"The first {COUNT}")
    tiles = [_tile(check, finding, rows) for finding in findings[:COUNT]]
    return sheet_of_rows(Heading(f"{name}: {pluralize(many, 'finding')}", facts), tiles)


def _tile(check: Check, finding: Finding, rows: Mapping[str, int]) -> Tile:
    """The part of the image around the box of a finding. rows: of the images, by file."""
    from zoo.draw.image import to_pil
    from zoo.draw.sheet import Tile

    file, box = str(finding.image), finding.box or (0.0, 0.0, 0.0, 0.0)
    caption = file.rpartition("/")[2]
    try:
        image = to_pil(check.dataset.image(rows[file]).pixels)
    except (KeyError, ValueError, DataError, ImageError):
        return Tile((4, 3), None, caption, finding.message)
    around = max(AROUND * max(box[2] - box[0], box[3] - box[1]), LEAST)
    left, top = (max(min(round(edge - around), side - 1), 0) for edge, side in _ends(box, image, 0))
    right, bottom = (
        min(max(round(edge + around), at + 1), side)
        for (edge, side), at in zip(_ends(box, image, 2), (left, top), strict=True)
    )
    part = image.crop((left, top, right, bottom))

    def draw_part(size: tuple[int, int]) -> PIL.Image.Image:
        from PIL.Image import Resampling

        from zoo.detections import Detections
        from zoo.draw import draw

        across, down = size[0] / part.width, size[1] / part.height
        moved = [(box[0] - left) * across, (box[1] - top) * down]
        moved += [(box[2] - left) * across, (box[3] - top) * down]
        space = check.dataset.label_space
        label = space.names.index(finding.label) if finding.label in space.names else 0
        detections = Detections.of([moved], [1.0], [label], label_space=space)
        return draw(part.resize(size, Resampling.LANCZOS), detections, scores=False)

    note = "" if finding.score is None else f"{finding.score:.2f}"
    return Tile(part.size, draw_part, caption, note)


def _ends(box: tuple[float, ...], image: PIL.Image.Image, first: int) -> list[tuple[float, int]]:
    """An edge of the box along each axis, and the side of the image there."""
    return [(box[first], image.width), (box[first + 1], image.height)]
