"""Options of the commands that run models on data sets, and how they write numbers."""

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


SEEN = (
    ".json",
    ".jsonl",
    ".json.gz",
    ".jsonl.gz",
    ".parquet",
)  # files of what was seen before; any other word is a model


def each(names: Sequence[str], work: Callable[[str], T]) -> tuple[dict[str, T], int]:
    """The work done on each name, and the exit code.

    What fails is said, and the others go on; a lone one's error is raised. The code is 0, or that
    of the errors where every name failed in the same way, or else 1.
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
    """The protocol as `zoo.evaluate` takes it; None where neither was given."""
    if exif is None:
        return name.value if name else None
    from zoo.contract.protocol import Protocol  # deferred: it brings torch

    return replace(
        Protocol.named(name.value if name else ProtocolName.uniform.value), exif=exif.value
    )
