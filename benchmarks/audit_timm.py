"""Audits every timm architecture as the backbone of a detector, on the meta device, where nothing
is computed or downloaded.

Each is built at strides 8, 16 and 32 under a feature pyramid and a RetinaNet head, and shown a
image whose size is not the one it was made for; one that takes a single size is built for that of
the image, and where that fails it is shown the size it was made for. What comes of it is a row of
`docs/reference/timm-audit.md`.

    python benchmarks/audit_timm.py [--jobs 2] [--write | NAME …]
"""

from __future__ import annotations

import argparse
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import timm
import torch

from zoo import LabelSpace
from zoo.detectors import Batch, Composed, InputTransform
from zoo.detectors.assemble import PartMismatch, assemble
from zoo.detectors.compose import INPUT
from zoo.detectors.composition import Composition
from zoo.errors import ContractError

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "timm-audit.md"
STRIDES = (8, 16, 32)
ANY = (320, 448)  # multiples of the coarsest stride that no architecture was made for
CHOSEN = "any one, by `size`"
SORTS = {
    "any": "takes images of any size",
    CHOSEN: "takes images of one size, any that it is built for",
}
SPACE = LabelSpace.custom(["thing"])


@dataclass(frozen=True)
class Row:
    """What one architecture is as a backbone.

    channels: at strides 8, 16 and 32; empty where it can't be one.
    verdict:  `any`, `224 x 224` or CHOSEN, the inputs it takes, or why it can't be one.
    """

    name: str
    channels: tuple[int, ...]
    verdict: str

    def line(self) -> str:
        """The row in Markdown."""
        cells = [str(count) for count in self.channels] or [""] * len(STRIDES)
        return f"| {' | '.join([self.name, *cells, self.verdict])} |"


def audit(name: str) -> Row:
    """Builds one architecture as a detector and runs it."""
    with warnings.catch_warnings(), torch.device("meta"), torch.inference_mode():
        warnings.simplefilter("ignore")
        try:
            detector = build(name)
        except PartMismatch as seam:
            return Row(name, (), reason(seam.error.case))
        only = getattr(detector.backbone, "size", None)
        verdict = "any" if only is None else CHOSEN
        trouble = run(detector, ANY) if only is None else run_built_for(name, ANY)
        if trouble:
            published = timm.get_pretrained_cfg(name, allow_unregistered=True)
            only = only or (published.input_size[1:] if published else (224, 224))
            verdict = f"{only[0]} x {only[1]}"
            trouble = run(detector, only)
        channels = tuple(level.channels for level in detector.backbone.levels)
        return Row(name, (), trouble) if trouble else Row(name, channels, verdict)


def build(name: str, **arguments: object) -> Composed:
    """The detector around the architecture, in eval mode. Raises: Seam, if it has no such maps."""
    plan = Composition(
        backbone=f"timm/{name}",
        neck="fpn",
        head="retinanet",
        strides=STRIDES,
        backbone_arguments=arguments,
    )
    parts = assemble(plan, SPACE)
    made = Composed(
        label_space=SPACE,
        plan=plan,
        input=INPUT,
        backbone=parts.backbone,
        neck=parts.neck,
        head=parts.head,
    )
    return made.eval()


def run_built_for(name: str, size: tuple[int, int]) -> str | None:
    """Why the architecture can't be built for images `(height, width)` and take them, or None if
    it can."""
    try:
        return run(build(name, size=list(size)), size)
    except PartMismatch as seam:
        return reason(seam.error.case)


def run(detector: Composed, size: tuple[int, int]) -> str | None:
    """Why an image `(height, width)` does not go through the network, or None if it does."""
    batch = Batch(torch.empty(1, 3, *size), (InputTransform(*size, scale_y=1.0, scale_x=1.0),))
    try:
        maps = detector.backbone(batch.pixels)
        detector(batch)
    except ContractError as error:
        return reason(error.case)
    except Exception as error:  # timm's networks fail in as many ways as they have authors
        return reason(f"does not run: {' '.join(str(error).split())}")
    for stride, found in zip(STRIDES, maps, strict=True):
        wanted = tuple(-(-side // stride) for side in size)
        if tuple(found.shape[2:]) != wanted:
            return reason(f"odd map: {tuple(found.shape[2:])} at stride {stride}, not {wanted}")
    return None


def reason(text: str) -> str:
    """One line that has no pipe in it, of a length that fits a table."""
    text = re.sub(
        r"^It has no map at stride ([\d, ]+); it has ([\d, ]*)\.$", r"no map at \1 (has \2)", text
    )
    text = re.sub(r"^timm does not take feature maps from it: ", "no feature maps: ", text)
    text = text.replace("|", "/").rstrip(".")
    return text if len(text) <= 90 else f"{text[:89]}…"


def sort_of(row: Row) -> str:
    """The verdict without its particulars, to count by."""
    if row.channels:
        return SORTS.get(row.verdict, "takes images of one size, that of its published weights")
    return re.split(r"[(:]", re.sub(r"no map at [\d, ]+", "not at all strides ", row.verdict))[
        0
    ].strip()


def page(rows: Sequence[Row]) -> str:
    """The generated page."""
    counts = Counter(map(sort_of, rows))
    fit = sum(bool(row.channels) for row in rows)
    return "\n".join(
        [
            "# Every timm architecture as a backbone",
            "",
            "Generated by `benchmarks/audit_timm.py --write`, on the meta device; "
            f"timm {timm.__version__}, {len(rows)} architectures, {fit} of them fit.",
            "",
            f"Each was built as `timm/NAME` at strides {', '.join(map(str, STRIDES))} under `fpn` "
            f"and `retinanet`,",
            f"and shown an image of {ANY[0]} x {ANY[1]} pixels. One that takes a single size was "
            f"built for it, with",
            f'`backbone_arguments={{"size": [{ANY[0]}, {ANY[1]}]}}`; where that fails, it takes '
            f"the size in the last column.",
            "",
            "| verdict | architectures |",
            "|---|---:|",
            *(
                f"| {sort} | {count} |"
                for sort, count in sorted(counts.items(), key=lambda pair: -pair[1])
            ),
            "",
            "| architecture | 8 | 16 | 32 | input, or why not |",
            "|---|---:|---:|---:|---|",
            *(row.line() for row in rows),
            "",
        ]
    )


def read(text: str) -> tuple[str, list[Row]]:
    """The timm version and the rows of a generated page."""
    version = re.search(r"; timm ([^,]+),", text)
    table = text.partition("| input, or why not |\n")[2].splitlines()[1:]
    cells = [
        [cell.strip() for cell in line.strip("| ").split("|")]
        for line in table
        if line.startswith("|")
    ]
    rows = [Row(one[0], tuple(map(int, filter(None, one[1:4]))), one[4]) for one in cells]
    return version[1] if version else "", rows


def audited(names: Iterable[str], *, jobs: int) -> list[Row]:
    """One row a name, in their order."""
    with ProcessPoolExecutor(jobs, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return list(pool.map(audit, names, chunksize=8))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="only these; all of timm's otherwise")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--write", action="store_true", help=f"write {PAGE.name} instead of printing it"
    )
    asked = parser.parse_args()
    text = page(audited(asked.names or timm.list_models(), jobs=asked.jobs))
    if asked.write:
        PAGE.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
