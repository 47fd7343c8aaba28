"""`zoo data`: converts, splits and checks annotated images."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, TypeAlias

import typer

from zoo.cli import output
from zoo.cli.help import Command, Commands
from zoo.text import pluralize

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Convert, split and check annotated images.",
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
    from zoo.data.convert import convert as converted

    made = converted(source, to, images=images)  # type: ignore[arg-type]  # it checks the word
    if as_json:
        output.document(json.dumps(asdict(made), indent=2, ensure_ascii=False))
        return
    counts = f"{pluralize(made.images, 'image')} and {pluralize(made.boxes, 'box', 'boxes')}"
    again = "read again and found the same" if made.checked else "not read again: no images"
    output.line(f"{counts} written, {again}: {made.data}")
    for text in made.losses:
        output.line(f"Lost: {text}")
