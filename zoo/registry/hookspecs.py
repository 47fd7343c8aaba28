"""Every hook a plugin can implement, on one screen.

A plugin is a module named by an entry point in the group `detzoo`; it marks its implementations
with `zoo.hookimpl`. Each hook hands over a `register` callable; call it once per thing. `build` is
a callable or the string `"package.module:function"`, which is imported when the thing is first
built, so that listing stays cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import pluggy

# the major version of what is on this screen; a plugin may say which one it was written for with
# ZOO_API = 2
API = 2
ARGUMENT = "register"  # the only one of every hook

hookspec = pluggy.HookspecMarker("detzoo")
hookimpl = pluggy.HookimplMarker("detzoo")

Build = Callable[..., Any] | str


class RegisterCards(Protocol):
    """Adds the cards of one YAML file (or of an already parsed mapping in the same schema)."""

    def __call__(self, cards: Path | str | dict[str, Any], /) -> None: ...


class Register(Protocol):
    """Adds one named thing.

    The name `*` stands for a whole family, every name that the plugin does not register by itself;
    `build` then gets the part's name, without the plugin's, as its first argument.
    """

    def __call__(self, name: str, build: Build, /) -> None: ...


class RegisterDataset(Protocol):
    """Adds one format of data sets; whatever is a string is imported when it is first used.

    read:     `read(path: Path) -> zoo.data.Dataset`, or `read(path, options)` if it has options.
    suffixes: of files that are of this format if none is named, as `(".csv", ".csv.gz")`.
    options:  a `msgspec.Struct` or dataclass; in `NAME:PATH,OPTION=VALUE` each option becomes the
              type of its field.
    write:    `write(dataset: zoo.data.Dataset, path: Path) -> None`, the writer.
    holds:    what the writer can keep besides images, classes and boxes, as words of
              `zoo.data.losses`; `zoo data convert` lists whatever else a data set has as lost.
    recognise: `recognise(folder: Path) -> bool`, whether a folder is of this format.
    images:   the folder for copies of the images, in the one that is written.
    """

    def __call__(
        self,
        name: str,
        read: Build,
        /,
        *,
        suffixes: Sequence[str] = (),
        options: type | str | None = None,
        write: Build | None = None,
        holds: Sequence[str] = (),
        recognise: Build | None = None,
        images: str = "images",
    ) -> None: ...


@hookspec
def register_cards(register: RegisterCards) -> None:
    """Add model cards: `register(Path(__file__).parent / "cards.yaml")`."""


@hookspec
def register_architectures(register: Register) -> None:
    """Add builders `build(*, label_space: LabelSpace, **arguments) -> Detector`, called on the meta
    device.

    One that has a parameter `input` is given the card's as well.
    """


@hookspec
def register_backbones(register: Register) -> None:
    """Add builders `build(*, strides: tuple[int, ...], **arguments) -> nn.Module` with `levels`."""


@hookspec
def register_necks(register: Register) -> None:
    """Add builders `build(*, levels: tuple[FeatureLevel, ...], **arguments) -> nn.Module` with
    `levels`."""


@hookspec
def register_heads(register: Register) -> None:
    """Add builders `build(*, levels: tuple[FeatureLevel, ...], label_space: LabelSpace,
    **arguments) -> nn.Module`."""


@hookspec
def register_datasets(register: RegisterDataset) -> None:
    """Add formats of data sets, read as `NAME:PATH[,OPTION=VALUE…]`: a reader, the suffixes of its
    files, its options and, where there are any, its writer and how its folders are recognised."""


@hookspec
def register_engines(register: Register) -> None:
    """Add engines, which compute exported networks: builders `build(request:
    zoo.detectors.EngineRequest) -> zoo.contract.Predictor`; `zoo.engines.graph_engine` makes one of
    a function that runs a graph."""


@hookspec
def register_trackers(register: Register) -> None:
    """Add trackers, which follow things through a clip: builders `build(rate: float) ->
    zoo.video.Tracker`, called once a clip with its frames a second."""
