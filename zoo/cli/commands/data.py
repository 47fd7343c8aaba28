"""`zoo data`: shows, converts, splits and checks annotated images."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from zoo.cli import output, stderr
from zoo.cli.help import Command, Commands
from zoo.errors import UsageError
from zoo.text import pluralize

if TYPE_CHECKING:
    from zoo.data import Dataset, Sheets
    from zoo.data.check import Check
    from zoo.data.finding import Finding
    from zoo.data.fix import Fixed

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Show, convert, split and check annotated images.",
)

Data: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="FORMAT:PATH, or a path whose suffix or content says the format.",
        show_default=False,
    ),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Write JSON.")]
MAX_FINDINGS_SHOWN = 3  # of each check; --json has all


Settings: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="A field of the recipe: --set 'augment=[{kind: flip}]'.",
    ),
]


@app.command("show", cls=Command)
def show(
    source: Data,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL|RECIPE",
            help="Before and after the augmentations of a model's default recipe, a default by "
            "name, or RECIPE.yaml.",
        ),
    ] = None,
    settings: Settings = None,
    split: Annotated[str | None, typer.Option(metavar="NAME", help="Of this split alone.")] = None,
    count: Annotated[
        int | None,
        typer.Option(metavar="COUNT", min=1, help="Images; else 24, or 6 with --recipe."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Another one draws others.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Else DATA-sheet.jpg; several are numbered."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draw contact sheets: a representative few of the images with their boxes, and a legend.

    With --recipe, each image as annotated and as training sees it in its first epochs, with the
    random numbers of the recipe's seed. The exit code is 1 where some can't be read.
    """
    from zoo.data import read

    dataset = read(source)
    sheets = _sheets(dataset, recipe, settings or (), split=split, count=count, seed=seed)
    words = (dataset.name, split, "augmented" if recipe else "sheet")
    name = "-".join(word for word in words if word).replace("/", "-")
    paths = sheets.write(out or Path(f"{name}.jpg"))
    for file, flaw in sheets.unreadable:
        stderr.warning(f"{file} can't be shown: {flaw}")
    if as_json:
        facts = {
            "data": dataset.name,
            "split": split,
            "sheets": [str(path) for path in paths],
            "images": sheets.files,
            "unreadable": dict(sheets.unreadable),
        }
        output.document(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        output.lines([str(path) for path in paths])
    raise typer.Exit(int(bool(sheets.unreadable)))


def _sheets(
    dataset: Dataset,
    recipe: str | None,
    settings: Sequence[str],
    *,
    split: str | None,
    count: int | None,
    seed: int,
) -> Sheets:
    """Contact sheets of a data set, with the augmentations of the recipe if there is one. Raises:
    UsageError for fields without a recipe."""
    if settings and not recipe:
        case = "They are fields of a recipe, and --recipe was not given."
        raise UsageError("--set was given.", case, "Add --recipe yolox_nano, or another model.")
    if recipe is None:
        from zoo.data.show import COUNT, show

        return show(dataset, split=split, count=count or COUNT, seed=seed)
    from zoo.train.defaults import PRESETS
    from zoo.train.recipe_file import merge, overrides, read_recipe
    from zoo.train.show import COUNT as AUGMENTED_COUNT
    from zoo.train.show import show as show_augmented

    fields = overrides(settings)
    if recipe.endswith((".yaml", ".yml")):
        fields, model = merge(read_recipe(recipe), fields), None
    elif recipe in PRESETS:
        fields, model = merge(PRESETS[recipe].fields, fields), None
    else:
        model = recipe
    return show_augmented(
        model, data=dataset, recipe=fields, split=split, count=count or AUGMENTED_COUNT, seed=seed
    )


ComparedModel: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="MODEL", help="Say which labels it disagrees with; or file:FOLDER."),
]
SheetFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Draw the boxes found wrong, a sheet for each check."),
]


@app.command("check", cls=Command)
def check(
    source: Data,
    to: Annotated[
        str | None,
        typer.Option(
            "--fix", metavar="TO", help="Write a corrected copy into this folder, with changes.txt."
        ),
    ] = None,
    images: Annotated[
        str,
        typer.Option(
            metavar="decode|header|none",
            help="Read each image as a whole, its header alone, or none of them.",
        ),
    ] = "decode",
    model: ComparedModel = None,
    sheets: SheetFolder = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 for warnings, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find what is wrong in a data set: images, boxes, classes, copies of images, and splits that
    share them.

    The exit code is 0 where nothing is wrong, 1 where something is, and 10 where the annotations
    can't be read at all. With --fix, it is that of the source.
    """
    from zoo.data.check import check as check_dataset
    from zoo.data.fix import copy_place, correct, fix

    if to is not None:
        copy_place(source, to)  # raises before all images are read
    findings = check_dataset(source, images=images, model=model)  # type: ignore[arg-type]  # it checks the word
    if sheets is not None:
        _write_sheets(findings, sheets)
    fixed = None if to is None else fix(source, findings, to)
    if as_json:
        more = {} if fixed is None else {"fixed": asdict(fixed)}
        output.document(json.dumps(findings.to_json() | more, indent=2, ensure_ascii=False))
    else:
        output.lines(_findings(findings))
        if fixed is not None:
            _print_fixed(fixed)
        elif findings.findings and (changes := correct(findings)[1]):
            count = pluralize(len(changes), "change")
            output.line(f"--fix FOLDER writes a corrected copy: {count}.", err=True)
    raise typer.Exit(int(bool(findings.errors or (strict and findings.findings))))


def _write_sheets(findings: Check, folder: Path) -> None:
    from zoo.data.finding_sheets import write_sheets

    for path in write_sheets(findings, folder):
        output.line(f"Sheet written: {path}", err=True)


def _print_fixed(fixed: Fixed) -> None:
    changes = pluralize(len(fixed.changes), "change")
    output.line(f"{changes} written with the copy {fixed.written.data}", err=True)
    for text in fixed.written.losses:
        output.line(f"Lost: {text}", err=True)


def _findings(findings: Check) -> list[str]:
    from zoo.data.finding import CHECKS

    lines = [f"{findings.dataset!r}", *findings.dataset.notes]
    for name, count in findings.counts.items():
        severity, meaning = CHECKS[name]
        lines += ["", output.Heading(f"{severity}: {name} ({count:,}): {meaning}")]
        shown = [finding for finding in findings.findings if finding.check == name]
        lines += [f"  {_finding(finding)}" for finding in shown[:MAX_FINDINGS_SHOWN]]
        if count > MAX_FINDINGS_SHOWN:
            lines.append(f"  … and {count - MAX_FINDINGS_SHOWN:,} more")
    warnings = len(findings.findings) - findings.errors
    counts = f"{pluralize(findings.errors, 'error')} and {pluralize(warnings, 'warning')}"
    return [*lines, *([""] if findings.findings else []), f"{counts}."]


def _finding(finding: Finding) -> str:
    from zoo.data.finding import spelled_box

    box = "" if finding.box is None else f" {spelled_box(finding.box)}"
    where = f"{finding.image}: " if finding.image else ""
    return (
        f"{where}{finding.label or 'box' if box else ''}{box}{' ' if box else ''}{finding.message}"
    )


@app.command("convert", cls=Command)
def convert(
    source: Data,
    to: Annotated[
        str,
        typer.Argument(
            metavar="TO",
            help="FORMAT:FOLDER, new or empty; or a file, as coco:site.json.",
            show_default=False,
        ),
    ],
    images: Annotated[
        str,
        typer.Option(
            metavar="copy|none",
            help="Copy the images into the folder, or leave them where they are.",
        ),
    ] = "copy",
    as_json: AsJson = False,
) -> None:
    """Write a data set in another format, and say what that format can't hold.

    Formats are coco, voc, yolo, csv and those of plugins. What was written is read again and
    compared. The source is never touched, and a folder is written whole or not at all.
    """
    from zoo.data.convert import convert as convert_dataset

    result = convert_dataset(source, to, images=images)  # type: ignore[arg-type]  # it checks the word
    if as_json:
        output.document(json.dumps(asdict(result), indent=2, ensure_ascii=False))
        return
    counts = f"{pluralize(result.images, 'image')} and {pluralize(result.boxes, 'box', 'boxes')}"
    again = "read again and found the same" if result.checked else "not read again: no images"
    output.line(f"{counts} written, {again}: {result.data}")
    for text in result.losses:
        output.line(f"Lost: {text}")


Share: TypeAlias = Annotated[
    float,
    typer.Option(metavar="SHARE", min=0, max=1, help="Share of the images; 0 for no such split."),
]
GroupBy: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--group-by",
        metavar="WHAT",
        help="Keep images of one group together: an attribute, folder, or a pattern such as "
        "'(.*)_[0-9]+'.",
    ),
]
NearDuplicates: TypeAlias = Annotated[
    bool, typer.Option("--near-duplicates", help="Keep images together that look the same.")
]
Stratify: TypeAlias = Annotated[
    bool, typer.Option("--stratify", help="Balance the classes rather than hash each image.")
]


@app.command("split", cls=Command)
def split(  # noqa: PLR0913  # options of a command
    source: Data,
    to: Annotated[
        Path,
        typer.Option(
            "--to", metavar="FOLDER", help="For the lists; those that are there are kept to."
        ),
    ],
    train: Share = 0.8,
    val: Share = 0.1,
    test: Share = 0.1,
    group_by: GroupBy = None,
    near_duplicates: NearDuplicates = False,
    stratify: Stratify = False,
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Another one draws others.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Write lists of the images of train, val and test, drawn by a hash of each image's id.

    Images that are added later move none of the old ones. Lists that are in the folder are kept to:
    images that they name stay there, and other shares take another folder. Read them with
    DATA,splits=FOLDER.
    """
    from zoo.cli.data_split import draw

    draw(
        source,
        to,
        {"train": train, "val": val, "test": test},
        group_by=group_by,
        near_duplicates=near_duplicates,
        stratify=stratify,
        seed=seed,
        as_json=as_json,
    )
