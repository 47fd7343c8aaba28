"""Finds the nearest composition that fits: builds candidates on the meta device, without memory."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, islice

from zoo.contract import FeatureLevel, levels_of
from zoo.detectors.assemble import PartMismatch, build_part, builder
from zoo.detectors.build import on_meta_device
from zoo.detectors.composition import Composition
from zoo.errors import ZooError
from zoo.labels import LabelSpace
from zoo.registry import catalogue

STRIDES = (2, 4, 8, 16, 32, 64)
CHANNELS = (32, 64, 96, 128, 160, 192, 224, 256)


def nearest(plan: Composition, label_space: LabelSpace) -> list[Composition]:
    """The least changed plans with the same backbone and head that can be built; several if they
    are equally near.

    Tried in this order: other channels of the neck, other necks or none, other strides, both.
    """
    search = _Search(label_space)
    channels = next(filter(search.fits, _channels(plan)), None)
    if channels:
        return [channels]
    if fitting := list(filter(search.fits, _necks(plan))):
        return fitting
    others = [replace(plan, strides=strides) for strides in _strides(plan, search)]
    strides = next(filter(search.fits, others), None)
    if strides:
        return [strides]
    both = (candidate for other in others for candidate in (*_channels(other), *_necks(other)))
    return list(islice(filter(search.fits, both), 1))


def resized_backbone(
    plan: Composition, label_space: LabelSpace, *, size: tuple[int, int]
) -> Composition | None:
    """The plan with a backbone that is built for that height and width, if it can be."""
    candidate = replace(plan, backbone_arguments={**plan.backbone_arguments, "size": list(size)})
    if "size" not in inspect.signature(builder("backbone", plan.backbone)).parameters:
        return None
    return candidate if _Search(label_space).fits(candidate) else None


class _Search:
    """Tries plans, and builds a backbone once per stride."""

    def __init__(self, label_space: LabelSpace) -> None:
        self._space = label_space
        self._levels: dict[int, FeatureLevel | None] = {}

    def fits(self, plan: Composition) -> bool:
        """Whether neck and head can be built on the maps the backbone has at those strides."""
        possible = [self.level(plan, stride) for stride in plan.strides]
        levels = tuple(level for level in possible if level)
        if len(levels) < len(possible):
            return False
        try:
            with on_meta_device():
                if plan.neck is not None:
                    levels = levels_of(build_part(plan, "neck", {"levels": levels}), name=plan.neck)
                build_part(plan, "head", {"levels": levels, "label_space": self._space})
        except (PartMismatch, ZooError):
            return False
        return True

    def level(self, plan: Composition, stride: int) -> FeatureLevel | None:
        """The backbone's map at one stride, if it has one."""
        if stride not in self._levels:
            try:
                with on_meta_device():
                    self._levels[stride] = levels_of(
                        build_part(plan, "backbone", {"strides": (stride,)}), name=plan.backbone
                    )[0]
            except (PartMismatch, ZooError):
                self._levels[stride] = None
        return self._levels[stride]


def _channels(plan: Composition) -> Iterator[Composition]:
    """The same neck with other channels, nearest first; none if its channels can't be chosen."""
    if plan.neck is None:
        return
    parameter = inspect.signature(builder("neck", plan.neck)).parameters.get("channels")
    if parameter is None:
        return
    now = plan.neck_arguments.get("channels", parameter.default)
    for channels in sorted(
        CHANNELS,
        key=lambda channels: (abs(channels - now) if isinstance(now, int) else 0, -channels),
    ):
        yield replace(plan, neck_arguments={**plan.neck_arguments, "channels": channels})


def _necks(plan: Composition) -> Iterator[Composition]:
    """Every other neck with its default arguments, then no neck."""
    names = [name for name in catalogue().parts("necks") if not name.endswith("/*")]
    shorts = [name.partition("/")[2] for name in names]
    for name, short in zip(names, shorts, strict=True):
        if plan.neck not in (name, short):
            yield replace(plan, neck=short if shorts.count(short) == 1 else name, neck_arguments={})
    if plan.neck is not None:
        yield replace(plan, neck=None, neck_arguments={})


def _strides(plan: Composition, search: _Search) -> list[tuple[int, ...]]:
    """Sets of strides that the backbone has, those first that share most with the plan's."""
    available = [stride for stride in STRIDES if search.level(plan, stride)]
    current = set(plan.strides)
    choices = [
        choice
        for count in range(1, len(available) + 1)
        for choice in combinations(available, count)
    ]
    return sorted(
        (choice for choice in choices if set(choice) != current),
        key=lambda choice: len(current ^ set(choice)),
    )
