"""An entry: one row of a leaderboard as a JSON file, which anybody can hand in; what its numbers
are of travels with it.

The structs below are the schema. A fact that nobody has measured or read somewhere is null.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, structs

from zoo.errors import DataError
from zoo.evaluate import Report
from zoo.files import write_errors, write_file
from zoo.leaderboard.reading import check_numbers, read_struct, wrong
from zoo.registry.card import Claim, Licenses

FORMAT = 1
# The least that an entry says.
PROVENANCE = (
    "model",
    "weights_source",
    "data_sha256",
    "protocol_settings",
    "detzoo",
    "processor",
    "finished",
)
SETTINGS = (  # of `zoo.Protocol`
    *("score", "iou", "max_boxes", "nms", "resize", "precision", "exif"),
    *("wrapper", "engine", "prompts"),
)
RANDOM = "random"
UNKNOWN = "unknown"

Name = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]
Text = Annotated[str, Meta(max_length=2000)]
Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=0)]
Setting = str | bool | int | float | None


class ModelWeights(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file the weights are from. source: its address, or `random` where the network was never
    trained, or `unknown`."""

    source: Text
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")] | None = None
    bytes: Count | None = None


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The authors' claim for a model, to compare the measured value with."""

    parameters: Count | None = None
    claims: list[Claim] = []


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The model. parameters: as counted in the network that ran. input: its `[height, width]`, as
    on a card."""

    name: Name
    family: Name | None = None
    licenses: Licenses = Licenses()
    parameters: Count | None = None
    input: Annotated[list[Count], Meta(min_length=2, max_length=2)] | None = None
    weights: ModelWeights
    published: Published = Published()
    note: Text | None = None


class Timing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How fast and how large it is where it ran, by the engine of its protocol; see `zoo.timing`.

    hardware: the processor or accelerator. threads: of torch, on a processor. runs: images timed.
    median_ms, p95_ms: one image in, boxes out; warm, batches of one, reading the file not
        counted.
    peak_mb: millions of bytes, in a process of its own: resident memory on a processor, allocated
        memory on an accelerator.
    gflops: billions of floating-point operations of one forward pass, where a multiply-add is two.
    """

    hardware: Name
    threads: Count | None = None
    runs: Count
    median_ms: Positive
    p95_ms: Positive
    peak_mb: Positive | None = None
    gflops: Positive | None = None


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One row: a model on a data set by a protocol.

    data:     the data set's name; the fingerprint of its annotations is `report.measured.sha256`.
    protocol: every setting that moved a number, by name.
    report:   what `zoo.evaluate` returned, with its provenance and resamplings.
    seal:     sha256 of all the rest, which `write` puts there, so that a change by hand shows.
              Anybody can compute it: it guards against accidents, not against lies.
    """

    format: Literal[1] = 1
    model: Model
    data: Name
    protocol: dict[str, Setting]
    report: Report
    timing: Timing | None = None
    seal: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")] | None = None

    @property
    def name(self) -> str:
        """The name of the row."""
        return self.model.name

    @property
    def engine(self) -> str | None:
        """The engine that computed its network; None for torch."""
        engine = self.protocol.get("engine")
        return None if engine is None else str(engine)

    def claim(self, metric: str = "AP") -> Claim | None:
        """Its claim on this data set, else on the first data set that has one."""
        claims = [claim for claim in self.model.published.claims if claim.metric == metric]
        return next(
            (claim for claim in claims if claim.dataset == self.data), claims[0] if claims else None
        )

    @property
    def points(self) -> float:
        """Its AP in percent; 0 where there is none."""
        return 100 * (self.report.numbers.get("AP") or 0.0)

    def gap(self) -> float | None:
        """Measured less claimed AP, in percent; None where the claim is of another data set, or
        there is none."""
        claim, measured = self.claim(), self.report.numbers.get("AP")
        return (
            None
            if claim is None or measured is None or claim.dataset != self.data
            else 100 * measured - claim.value
        )

    def computed_seal(self) -> str:
        """The seal that fits its content."""
        plain = msgspec.json.encode(structs.replace(self, seal=None))
        as_read = msgspec.json.decode(
            plain, type=Entry
        )  # where a whole number has become a fraction, as after reading
        return hashlib.sha256(msgspec.json.encode(as_read, order="sorted")).hexdigest()

    def write(self, path: str | Path) -> Entry:
        """Stores it, and returns it as it is stored: sealed. Raises: DataError for numbers that
        nobody says the origin of."""
        if not self.report.provenance:
            raise DataError(
                f"An entry can't be written to {path}.",
                "Nothing says what its numbers are of: a number without provenance is not stored.",
                "Make its report with zoo.evaluate, or with report.with_provenance({…}).",
            )
        stored = structs.replace(self, seal=self.computed_seal())
        store(Path(path), msgspec.json.encode(stored, order="sorted"))
        return stored

    @classmethod
    def read(cls, path: str | Path) -> Entry:
        """Raises: DataError naming the file and the field that is wrong."""
        entry = read_struct(Path(path), cls, what="entry")
        check_numbers(Path(path), entry.report)
        for number, claim in enumerate(entry.model.published.claims):
            if claim.impossible:
                at = f"model.published.claims[{number}].value"
                case = (
                    f"Field '{at}' is {claim.value:g}, and {claim.metric} a share of one hundred."
                )
                raise wrong(Path(path), case, "Write it in percent, 0 to 100.")
        return entry


def file_name(name: str, data: str) -> str:
    """A name for the file of a row: plain letters, and where names had others, or letters that some
    file systems take for one another, a part of their hash, so that no two meet."""
    plain = "-at-".join(
        re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:60].strip(".-") for text in (name, data)
    )
    exact = plain == f"{name}-at-{data}".lower() and plain.count("-at-") == 1
    return (
        plain
        + ("" if exact else "-" + hashlib.sha256(f"{name}\n{data}".encode()).hexdigest()[:8])
        + ".json"
    )


def store(path: Path, content: bytes) -> None:
    """Writes a file in one step. Raises: DataError where that fails."""
    with write_errors(path, DataError, fix="Name a folder with room."):
        write_file(path, content)
