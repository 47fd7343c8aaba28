"""The model under check, from the catalogue or a builder, with the detectors that its checks
share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import msgspec
import torch
from msgspec import structs

from zoo.detectors.build import build, example_space, on_meta_device
from zoo.detectors.detector import BasePredictor, Detector
from zoo.detectors.load import load
from zoo.errors import CardError, UsageError, ZooError
from zoo.labels import LabelSpace
from zoo.labels.builtin import space_of
from zoo.registry import Card, Choice, Entry, catalogue
from zoo.registry.card import Input, Weights
from zoo.registry.schema import in_words
from zoo.testing.conformance.errors import NotApplicable, NotHere
from zoo.testing.conformance.lsuv import lsuv
from zoo.weights.resolve import choose


@dataclass(frozen=True, eq=False)
class Model:
    """One model to check.

    name:   its name in reports.
    make:   builds it for a label space, with random weights.
    label_space:  its own label space.
    card:   its card; None for a bare builder, to which checks of the card don't apply.
    weights: its trained weights, a tag of the card or a source; None if only random ones are
        checked.
    load:   builds it with these weights.
    data:   the annotated images to measure them on, as `zoo.data.read` takes them.
    full:   the same model with its card's own arguments, if it is checked with others.
    engine: builds the engine that is checked, with trained weights.
    plugin: the plugin of its card, None for a bare builder.
    """

    name: str
    make: Callable[[LabelSpace], Detector]
    label_space: LabelSpace
    card: Card | None = None
    weights: str | None = None
    load: Callable[[], Detector] | None = None
    data: str | None = None
    full: Model | None = None
    engine: Callable[[], BasePredictor] | None = None
    plugin: str | None = None

    @classmethod
    def named(
        cls,
        name: str,
        *,
        arguments: Mapping[str, Any] | None = None,
        input: Mapping[str, object] | None = None,
        weights: str | None = None,
        data: str | None = None,
        engine: str | None = None,
    ) -> Model:
        """The model `name` of the catalogue, its card changed if wanted.

        arguments: changes of the card's arguments; `{"size": 64}` makes a YOLOX small.
        input:   the changes of the card's input policy that go with them, `{"size": [64, 64]}`.
        weights: trained weights for the checks that need them: a tag of the card, `file:PATH` or
            `hub:org/repo@REVISION`.
        data:    annotated images to measure these on: `coco:path/instances.json`.
        engine:  an engine to compare with torch, as `zoo.load` takes it; it has the card's
            weights unless others are named.

        Raises:
            NameNotFound, NameAmbiguous: no model, or more than one, has that name.
            CardError: `input` has a field that does not exist or a wrong value, or the model
                can't be built with these arguments.
            UsageError: weights for a changed card, or data without weights.
        """
        if engine is not None and not (arguments or input):
            return cls._with_engine(name, weights, engine)
        if (weights or engine) is not None and (arguments or input):
            raise _contradiction(
                name, "its trained weights, and with another card", "Leave out one of the two."
            )
        if data is not None and weights is None:
            case = f"'{data:.80}', and without weights"
            raise _contradiction(name, case, "Name them: a tag of the card, or file:PATH.")
        if weights is not None:
            model = cls.of_entry(choose(catalogue(), name, weights).entry)
            ready = partial(load, name, weights=weights, progress=False)
            return replace(model, weights=weights, load=ready, data=data)
        entry = catalogue().resolve(name).entry
        model = cls.of_entry(
            replace(entry, card=_change_card(entry.card, name, arguments or {}, input or {}))
        )
        if not arguments:
            return model
        full = cls.of_entry(entry)
        if (defect := model.defect()) is not None and full.defect() is None:
            raise _cannot_build(name, arguments, defect) from defect
        return replace(model, full=full)

    @classmethod
    def _with_engine(cls, name: str, weights: str | None, engine: str) -> Model:
        """The model with trained weights, in torch and by an engine."""
        choice = choose(catalogue(), name, weights or True)
        tag = weights or choice.tag or ""
        ready = partial(load, name, weights=tag or True, progress=False)
        return replace(
            cls.of_entry(choice.entry),
            weights=tag,
            load=ready,
            engine=partial(ready, engine=engine),
        )

    @classmethod
    def of_entry(cls, entry: Entry) -> Model:
        """The model of a card, from any source."""
        choice = Choice(entry, None, None)
        label_space = example_space(entry.card)
        return cls(
            entry.name,
            lambda label_space: build(catalogue(), choice, label_space),
            label_space,
            entry.card,
            plugin=entry.plugin,
        )

    @classmethod
    def built_by(
        cls, make: Callable[[LabelSpace], Detector], *, labels: LabelSpace | str | list[str]
    ) -> Model:
        """A detector without a card."""
        return cls(getattr(make, "__name__", "detector"), make, space_of(labels))

    def build(self, label_space: LabelSpace | None = None, *, seed: int = 0) -> Detector:
        """A new detector in eval mode, with random weights of that seed."""
        torch.manual_seed(seed)
        return self.make(label_space or self.label_space).eval()

    def defect(self) -> BaseException | None:
        """The error of building it on the meta device, without memory for its weights; None if it
        can be built."""
        try:
            with on_meta_device():
                self.make(self.label_space)
        except (Exception, SystemExit) as error:  # whatever a builder raises
            return error
        return None

    @cached_property
    def plain(self) -> Detector:
        """A detector with random weights, for checks to which these do not matter."""
        return self.build()

    @cached_property
    def detector(self) -> Detector:
        """The same detector after `lsuv`, so that its detections differ from image to image; the
        checks share it, and each leaves it as it was."""
        return lsuv(self.plain)

    @property
    def published_weights(self) -> Weights | None:
        """The card's entry for the trained weights; for a local file, that of its default ones.

        Raises: NotHere if no weights were named.
        """
        if self.weights is None:
            raise NotHere("No weights were named: zoo check NAME --weights TAG, or file:PATH.")
        card = self.need_card()
        return card.weights.get(self.weights) or card.default_weights()

    @cached_property
    def trained_detector(self) -> Detector:
        """The detector with trained weights. Raises: NotHere if none were named, WeightsError if
        they can't be loaded."""
        if self.load is None:
            raise NotHere("No weights were named: zoo check NAME --weights TAG, or file:PATH.")
        return self.load()

    @cached_property
    def loaded_engine(self) -> BasePredictor:
        """The engine that is checked. Raises: NotHere if none was named."""
        return self.load_engine()

    def load_engine(self) -> BasePredictor:
        """A new instance of the engine. Raises: NotHere if none was named."""
        if self.engine is None:
            raise NotHere("No engine was named: zoo check NAME --engine ENGINE.")
        return self.engine()

    def need_card(self) -> Card:
        """Its card. Raises: NotApplicable if it has none."""
        if self.card is None:
            raise NotApplicable("It has no card.")
        return self.card


def _contradiction(name: str, case: str, fix: str) -> UsageError:
    return UsageError(f"'{name}' can't be checked like this.", f"It was given {case}.", fix)


def _cannot_build(name: str, arguments: Mapping[str, Any], error: BaseException) -> CardError:
    """The error for arguments of the caller that fail where the card's own work, so it names no
    line of the card."""
    values = ", ".join(f"{argument}={value!r}" for argument, value in arguments.items())
    case, fix = (
        (error.case, error.fix)
        if isinstance(error, ZooError)
        else (f"{type(error).__name__}: {error}", "")
    )
    fix = (
        fix
        if isinstance(error, CardError)
        else "Give values that its architecture can be built with."
    )
    case = re.sub(r"^(Line \d+, f|F)ield '[^']*': ", "", case)
    return CardError(f"'{name}' can't be checked with {values:.200}.", case, fix)


def _change_card(
    card: Card, name: str, arguments: Mapping[str, Any], input: Mapping[str, object]
) -> Card:
    rule = card.input
    if input:
        fields = {**(structs.asdict(rule) if rule else {}), **input}
        try:
            rule = msgspec.convert(fields, Input)
        except msgspec.ValidationError as error:
            case = f"'{name}' can't be checked with input={dict(input)}."
            raise CardError(case, *in_words(fields, Input, error)) from None
    return structs.replace(card, arguments={**card.arguments, **arguments}, input=rule)
