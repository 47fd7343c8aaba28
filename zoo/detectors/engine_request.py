"""EngineRequest: the model that an engine is to compute, and how; what the builders of
`register_engines` are given."""

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
    """A model, and how an engine is to compute it.

    engine:   the engine's name.
    resolved: the model and its verified files, or its exported file.
    old, new: the label space of its weights (None where the card leaves that open), and the one to
              load it for.
    threads:  of the arithmetic; None is the engine's own number.
    spin:     whether idle threads wait in a loop: faster by a little where the cores are nobody
              else's, and many times slower where they are shared.
    progress: a bar on long work; None shows one on a terminal.
    lanes:    how many images will run side by side, each in a call of its own; they share threads.
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
        """The request that `NAME[,threads=COUNT][,spin=true]` makes. Raises: UsageError for other
        options."""
        name, options = parsed(text)
        return cls(name, resolved, old, new, device, progress=progress, **options)

    def with_engine(self, name: str) -> EngineRequest:
        """The same for another engine."""
        return replace(self, engine=name)

    def build(self, models: Catalogue | None = None) -> BasePredictor:
        """The engine.

        Raises: NameNotFound, NameAmbiguous for its name; MissingExtra where it is not installed;
            ExportError where the network can't be exported for it, or does not agree with torch.
        """
        known = models or catalogue()
        made: BasePredictor = builder(known, self.engine)(self)
        return made

    def detector(self) -> Detector:
        """The detector itself, in torch, with its weights."""
        from zoo.detectors.load import load_resolved  # deferred: it imports this module

        return load_resolved(self.resolved, labels=self.new, device="cpu")


def parsed(text: str) -> tuple[str, dict[str, Any]]:
    """The name of an engine, and its options. Raises: UsageError."""
    name, *given = (part.strip() for part in text.split(","))
    options: dict[str, Any] = {}
    for part in given:
        option, _, value = part.partition("=")
        if option == "threads" and value.isascii() and value.isdecimal() and 0 < int(value) < 4096:
            options["threads"] = int(value)
        elif option == "spin" and value in ("true", "false"):
            options["spin"] = value == "true"
        else:
            case = f"'{part}' is none of its options."
            raise UsageError(f"The engine '{text:.80}' can't be used.", case, _OPTIONS)
    return name, options


def names(known: Catalogue) -> list[str]:
    """The engines that can be asked for, by their short names."""
    shorts = [name.rpartition("/")[2] for name in known.parts("engines")]
    return [short for short in dict.fromkeys(shorts) if short != FIRST_READABLE_ENGINE]


def builder(known: Catalogue, name: str) -> Callable[[EngineRequest], BasePredictor]:
    """The builder of an engine. Raises: NameNotFound with the nearest names; NameAmbiguous."""
    try:
        return known.builder("engines", name)
    except NameNotFound:
        known_names = names(known)
        alike = close_matches(name, known_names)
        fix = f"Did you mean {join_or(alike)}?" if alike else f"There are {join_or(known_names)}."
        raise NameNotFound(f"No engine named '{name:.80}'.", "No plugin has one.", fix) from None
