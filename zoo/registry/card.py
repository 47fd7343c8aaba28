"""A card: everything known about one named model, as data. An unknown fact is null.

The structs below are the schema; `docs/reference/zoo.registry.card.md` is made from their
docstrings.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Sha256 = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{8,64}$",
        description="a sha256 in lower-case hex, or its first 8 or more digits",
    ),
]
COMMIT = r"^[0-9a-f]{40}$"
Revision = Annotated[str, Meta(pattern=COMMIT, description="a full commit id")]
SCHEMA = 2
MODEL = "model"  # the role of the checkpoint
Amount = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Color = Annotated[list[Annotated[int, Meta(ge=0, le=255)]], Meta(min_length=3, max_length=3)]
_SHARE = re.compile(
    r"m?A[PR](\W|\d|$)"
)  # precision and recall, as AP, mAP, AP50, AP@50, AR100 and AP@[.5:.95]


class HubSource(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="hub",
    kw_only=True,
):
    """A file in a repository of the Hugging Face Hub, pinned to a commit."""

    repo: Annotated[str, Meta(pattern=r"^[\w.-]+/[\w.-]+$")]
    revision: Revision
    file: str = "model.safetensors"
    sha256: Sha256 | None = None


class UrlSource(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="url",
    kw_only=True,
):
    """A file behind a URL; without a published hash `sha256` is null and the first download is
    recorded."""

    url: Annotated[str, Meta(pattern=r"^https?://")]
    sha256: Sha256 | None = None


class PackageSource(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="package",
    kw_only=True,
):
    """A file inside an installed package, which is not imported for it; `file` is a path in the
    package's folder."""

    package: Annotated[str, Meta(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]
    file: str
    sha256: Sha256 | None = None


class FileSource(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="file",
    kw_only=True,
):
    """A file on this machine, in the folder of the registry file that names it or below; the path
    is relative to it."""

    path: str
    sha256: Sha256 | None = None


Source = HubSource | UrlSource | PackageSource | FileSource


class Licenses(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """SPDX identifiers of what is licensed separately; null is unknown."""

    code: str | None = None
    weights: str | None = None
    data: str | None = None


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A published number: which metric on which data set, and where it stands.

    `AP` and `AP50`, in percent, on `coco_val2017` are what `zoo list` shows and `--where` compares.
    """

    dataset: str
    metric: str
    value: float
    source: str

    @property
    def impossible(self) -> bool:
        """Whether a precision or recall is outside of 0 to 100."""
        return bool(_SHARE.match(self.metric)) and not 0 <= self.value <= 100


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A filled polygon: its corners `[x, y]` in pixels, and its color as red, green and blue."""

    corners: Annotated[
        list[Annotated[list[float], Meta(min_length=2, max_length=2)]],
        Meta(min_length=3, max_length=1000),
    ]
    color: Color


class Drawing(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="drawing",
    kw_only=True,
):
    """An image that is drawn: `size` is `[height, width]`, the shapes lie one on another, the last
    on top."""

    size: Annotated[list[Annotated[int, Meta(ge=1, le=4096)]], Meta(min_length=2, max_length=2)]
    ground: Color
    shapes: Annotated[list[Shape], Meta(max_length=1000)] = []


class PackageImage(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="package",
    kw_only=True,
):
    """An image inside an installed distribution: `package` is importable, `file` relative to it."""

    package: str
    file: str


class ExpectedBox(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An object that is seen: its class, its box `[x1, y1, x2, y2]` in pixels, and its score."""

    label: str
    box: Annotated[list[float], Meta(min_length=4, max_length=4)]
    score: Share


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The measured detections of these weights in an image: nothing else scores `floor` or
    more.

    pixels:    how far an edge of a box may be from where it was.
    tolerance: how much a score may differ.
    """

    image: Drawing | PackageImage
    boxes: list[ExpectedBox]
    floor: Share = 0.3
    pixels: Amount = 1.0
    tolerance: Share = 0.02


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One set of trained weights: its files, and what is claimed of it.

    `files` has the sources of each file by its role, tried in order: `model` is the checkpoint, and
    a family may need more, such as `tokenizer` or `config`. `megabytes` counts all of them.
    `state_key` is where in a `.pth` the tensors are. `post_load` has settings that the checkpoint
    does not carry; the family checks and sets them. `recipe` trained these weights, by name or
    address. `artifacts` has the sources of exported files by format, such as `onnx`.
    """

    files: dict[str, list[Source]]
    megabytes: Amount | None = None
    state_key: str | None = None
    post_load: dict[str, Any] = {}
    licenses: Licenses | None = None
    claims: list[Claim] = []
    expects: list[Expectation] = []
    recipe: str | None = None
    artifacts: dict[str, list[Source]] = {}
    note: str | None = None


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The steps from an image to the network's input.

    resize: letterbox (aspect kept, padded to size) · fixed (stretched to size) · shortest_edge
        (aspect kept, shortest edge to
    `size[0]`, longest at most `size[1]`).
    size:   `[height, width]` for letterbox and fixed, `[shortest, longest]` for shortest_edge.
    interpolation: between pixels when resizing, as torch names it.
    antialias: average over all pixels that an output pixel covers where the image shrinks; without
        it, only the nearest 4 (bilinear) or 16 (bicubic) count. The two `nearest` ignore it.
    """

    resize: Literal["letterbox", "fixed", "shortest_edge"]
    size: Annotated[list[Annotated[int, Meta(ge=1)]], Meta(min_length=2, max_length=2)]
    mean: Annotated[list[float], Meta(min_length=3, max_length=3)] | None = None
    std: Annotated[list[float], Meta(min_length=3, max_length=3)] | None = None
    range: Literal[1, 255] = 1
    channels: Literal["rgb", "bgr"] = "rgb"
    padding: float = 0.0
    interpolation: Literal["bilinear", "bicubic", "nearest", "nearest-exact"] = "bilinear"
    antialias: bool = True


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One named model.

    `architecture` names a registered builder: `plugin/name`, or `name` alone for one of the same
    plugin; `arguments` go to it. `compose` alone is the core's: its arguments name a backbone, a
    neck and a head. `labels` is a declared label space, a list of class names, or `open` for a
    model that is told its classes when it is loaded. `requires` lists distributions and extras that
    have to be installed, as pip knows them: `transformers>=4.50`, `detzoo[plots]`. `default` is the
    tag of the weights a bare name loads. `gflops` is what the authors publish, counted in their own
    way, which `gflops_note` names. `wraps` is the model that this one is a wrapper around.
    """

    architecture: str
    labels: str | list[str]
    arguments: dict[str, Any] = {}
    family: str | None = None
    summary: str | None = None
    paper: str | None = None
    input: Input | None = None
    requires: list[str] = []
    parameters: Annotated[int, Meta(ge=0)] | None = None
    parameters_note: str | None = None
    gflops: Amount | None = None
    gflops_note: str | None = None
    licenses: Licenses = Licenses()
    weights: dict[str, Weights] = {}
    default: str | None = None
    wraps: str | None = None
    successor: str | None = None

    def default_weights(self) -> Weights | None:
        """The weights a bare name loads, or None for a card without weights."""
        return (
            self.weights[self.default] if self.default else next(iter(self.weights.values()), None)
        )

    def licenses_of(self, weights: Weights | None) -> Licenses:
        """The licences of these weights: each their own if stated, else the card's."""
        own = weights.licenses if weights and weights.licenses else Licenses()
        return Licenses(
            code=own.code or self.licenses.code,
            weights=own.weights or self.licenses.weights,
            data=own.data or self.licenses.data,
        )


def as_written(card: Card) -> dict[str, Any]:
    """The card as plain data, as in a registry file; fields that are not given are left out."""
    written: dict[str, Any] = _without_empty(msgspec.to_builtins(card))
    return written


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        parts = {name: _without_empty(part) for name, part in value.items()}
        return {name: part for name, part in parts.items() if part not in (None, {}, [])}
    return [_without_empty(part) for part in value] if isinstance(value, list | tuple) else value
