"""Options of the commands that measure models, and a loop over names that goes on after errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar

import typer

from zoo.cli import stderr
from zoo.cli.exit_code import exit_code
from zoo.cli.options import LABELS, Exif
from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo.contract.protocol import Protocol

T = TypeVar("T")


class ProtocolName(StrEnum):
    """The protocols that have a name."""

    uniform = "uniform"
    native = "native"


Data: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="coco:FILE",
        help="The data set; coco:FILE,images=FOLDER says where its images are.",
    ),
]
ProtocolOption: TypeAlias = Annotated[
    ProtocolName,
    typer.Option(
        metavar="uniform|native",
        help="uniform: the same thresholds for every model; native: the family's own.",
    ),
]
To: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Where runs are kept; else $ZOO_HOME/runs.")
]

Labels: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES", help=f"{LABELS} Else the card's, or the data's where a card has none."
    ),
]
Turn: TypeAlias = Annotated[
    Exif | None,
    typer.Option(
        metavar="apply|ignore",
        help="apply, the default: images turned upright as EXIF says; ignore: as stored.",
    ),
]
Fresh: TypeAlias = Annotated[
    bool, typer.Option("--fresh", help="Run models again, also where their predictions are kept.")
]

OnCluster: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Run models in many processes, by Ray: local, or ray://HOST:PORT; "
        "with ,workers=COUNT,threads=COUNT behind it.",
    ),
]


def is_stored(name: str) -> bool:
    """Whether this names a file of detections, and not a model."""
    from zoo.evaluate import stored_detections  # deferred: it imports numpy

    return stored_detections.is_stored(name)


def each(names: Sequence[str], work: Callable[[str], T]) -> tuple[dict[str, T], int]:
    """The result of `work` for each name that succeeds, and the exit code of `exit_code`.

    Errors are printed and do not stop the others; the error of a lone name is raised.
    """
    done: dict[str, T] = {}
    codes: set[int] = set()
    for name in dict.fromkeys(names):
        try:
            done[name] = work(name)
        except ZooError as error:
            if len(names) == 1:
                raise
            stderr.error(error, about="" if name in str(error) else name)
            codes.add(error.exit_code)
    return done, exit_code(codes, some_done=bool(done))


def protocol_of(name: ProtocolName | None, exif: Exif | None) -> str | Protocol | None:
    """The protocol as `zoo.evaluate` takes it; None if neither option was given."""
    if exif is None:
        return name.value if name else None
    from zoo.contract.protocol import Protocol  # deferred: it brings torch

    return replace(
        Protocol.named(name.value if name else ProtocolName.uniform.value), exif=exif.value
    )
