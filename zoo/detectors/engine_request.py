"""EngineRequest: the model that an engine shall compute, and how; the argument of the builders that
`register_engines` registers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from zoo.errors import NameNotFound, UsageError
from zoo.labels import LabelSpace
from zoo.registry import Catalogue, catalogue
from zoo.registry.exported import FIRST_READABLE_ENGINE
from zoo.suggest import close_matches, join_or
from zoo.weights.resolve import Resolved

if TYPE_CHECKING:
    import torch

    from zoo.detectors.detector import BasePredictor, Detector

TORCH = "torch"
_OPTIONS = "The options of an engine are threads=COUNT and spin=true."


@dataclass(frozen=True)
class EngineRequest:
    """A model, and how an engine shall compute it.

    engine:   the engine's name.
    resolved: the model and its verified files, or its exported file.
    old, new: the label space of its weights (None if the card leaves it open), and the one to load
              it for.
    threads:  how many threads compute; None leaves the number to the engine.
    spin:     whether idle threads wait in a loop: slightly faster on cores of one's own, and many
              times slower on shared ones.
    progress: a bar on long work; None shows one on a terminal.
    lanes:    how many images will run in parallel, each in its own call; they share the threads.
    """

    engine: str
    resolved: Resolved
    old: LabelSpace | None
    new: LabelSpace
    device: torch.device
    threads: int | None = None
    spin: bool = False
    progress: bool | None = None
    lanes: int = 1

    @classmethod
    def of(
        cls,
        text: str,
        resolved: Resolved,
        old: LabelSpace | None,
        new: LabelSpace,
        device: torch.device,
        *,
        progress: bool | None = None,
    ) -> EngineRequest:
        """The request written as `NAME[,threads=COUNT][,spin=true]`. Raises: UsageError for other
        options."""
        name, options = parse_engine(text)
        return cls(name, resolved, old, new, device, progress=progress, **options)

    def with_engine(self, name: str) -> EngineRequest:
        """The same for another engine."""
        return replace(self, engine=name)

    def build(self, models: Catalogue | None = None) -> BasePredictor:
        """The engine.

        Raises: NameNotFound, NameAmbiguous for its name; MissingExtra if it is not installed;
            ExportError if the network can't be exported for it, or does not agree with torch.
        """
        predictor: BasePredictor = builder(models or catalogue(), self.engine)(self)
        return predictor

    def detector(self) -> Detector:
        """The detector itself, in torch, with its weights."""
        from zoo.detectors.load import load_resolved  # deferred: it imports this module

        return load_resolved(self.resolved, labels=self.new, device="cpu")


def parse_engine(text: str) -> tuple[str, dict[str, Any]]:
    """The name of an engine, and its options. Raises: UsageError."""
    name, *option_texts = (part.strip() for part in text.split(","))
    options: dict[str, Any] = {}
    for part in option_texts:
        option, _, value = part.partition("=")
        if option == "threads" and value.isascii() and value.isdecimal() and 0 < int(value) < 4096:
            options["threads"] = int(value)
        elif option == "spin" and value in ("true", "false"):
            options["spin"] = value == "true"
        else:
            case = f"'{part}' is none of its options."
            raise UsageError(f"The engine '{text:.80}' can't be used.", case, _OPTIONS)
    return name, options


def names(models: Catalogue) -> list[str]:
    """Short names of the engines that a user can choose."""
    shorts = [name.rpartition("/")[2] for name in models.parts("engines")]
    return [short for short in dict.fromkeys(shorts) if short != FIRST_READABLE_ENGINE]


def builder(models: Catalogue, name: str) -> Callable[[EngineRequest], BasePredictor]:
    """The builder of an engine. Raises: NameNotFound with the nearest names; NameAmbiguous."""
    try:
        return models.builder("engines", name)
    except NameNotFound:
        known_names = names(models)
        alike = close_matches(name, known_names)
        fix = f"Did you mean {join_or(alike)}?" if alike else f"There are {join_or(known_names)}."
        raise NameNotFound(f"No engine named '{name:.80}'.", "No plugin has one.", fix) from None
