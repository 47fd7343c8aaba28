"""Checks of building a detector: for any classes, reproducibly, on the meta device, and without
side effects."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from copy import copy
from functools import cache

import torch

from zoo.detectors.checkpoint import assign
from zoo.detectors.detector import Detector
from zoo.detectors.head_transfer import transfer_head
from zoo.errors import OfflineError
from zoo.labels import LabelSpace
from zoo.registry.offline_guard import refuse_connections
from zoo.registry.plugin_calls import collect_remarks
from zoo.registry.registry_file import USER
from zoo.testing.conformance.compare import agree, difference
from zoo.testing.conformance.errors import NotHere, require
from zoo.testing.conformance.images import detect, one_target, preprocess, scene
from zoo.testing.conformance.model import Model
from zoo.testing.conformance.train_mode import train_mode
from zoo.text import join_first

OTHER_CLASSES = LabelSpace.custom([chr(letter) for letter in range(ord("a"), ord("a") + 7)])


def check_labels_obeyed(model: Model) -> None:
    """Built for other classes, it detects these and can be trained on the last of them."""
    detector = model.build(OTHER_CLASSES)
    require(
        detector.label_space.names == OTHER_CLASSES.names,
        f"Built for {len(OTHER_CLASSES)} classes, it has {len(detector.label_space)}.",
    )
    detections = detect(detector, scene())
    require(
        detections.names == OTHER_CLASSES.names,
        f"Built for {OTHER_CLASSES.names}, it answers in {detections.names[:4]}.",
    )
    with train_mode(detector):
        batch = preprocess(detector, [scene(), scene(seed=1)])
        targets = [one_target(len(OTHER_CLASSES) - 1), one_target()]
        losses = detector.loss(detector(batch, targets), batch, targets)
        broken = [name for name, loss in losses.items() if not loss.isfinite()]
        require(
            not broken, f"Built for other classes, its loss is not finite: {', '.join(broken)}."
        )


def check_one_class(model: Model) -> None:
    """Built for a single class it works too, and its scores are not all 1."""
    detections = detect(model.build(LabelSpace.custom(["thing"])), scene())
    labels = set(detections.labels.tolist())
    require(labels <= {0}, f"Built for one class, it detects the labels {sorted(labels)}.")
    certain = len(detections) > 1 and bool((detections.scores == 1).all())
    require(
        not certain,
        "Built for one class, it is certain of everything: a softmax over one class is always 1.",
    )


def check_classes_carried_over(model: Model) -> None:
    """With its classes in another order, its weights give the same boxes with the same class names.

    If `class_layers` is None, only that its classes can be changed is checked.
    Tolerance: 80 % of the 20 best boxes have a partner of the same class, with an IoU of 0.9 and a
        score within 0.01.
    """
    own = model.plain.label_space
    reordered = LabelSpace("turned", own.names[::-1], channels=own.channels)
    with torch.device("meta"):
        other = model.make(reordered).eval()
    failure = f"'{model.name}' can't be built with its classes in another order."
    transfer_head(
        other, model.detector.state_dict(), old=model.label_space, make=model.make, failure=failure
    )
    detections, expected = copy(detect(other, scene())), detect(model.detector, scene())
    # Back in the old order, unvalidated: wrong labels are for other checks.
    vars(detections).update(labels=len(own) - 1 - detections.labels)
    carried = agree(detections, expected) or other.class_layers() is None
    require(
        carried, f"With its classes in another order it detects {difference(detections, expected)}."
    )


def check_space_is_the_cards(model: Model) -> None:
    """Its label space has the class names that its card declares, in the same order."""
    label_space = model.plain.label_space
    require(
        label_space.names == model.label_space.names,
        f"It has {label_space!r}, the card {model.label_space!r}.",
    )


def check_seeded(model: Model) -> None:
    """The same seed gives the same weights, another seed gives different ones."""
    first, again, other = (_weights(model.build(seed=seed)) for seed in (1, 1, 2))
    changed = [name for name in first if not torch.equal(first[name], again[name])]
    require(not changed, f"Built twice from one seed, {', '.join(changed[:4])} differ.")
    require(
        any(not torch.equal(first[name], other[name]) for name in first),
        "Another seed gives the same weights.",
    )


def check_meta_device(model: Model) -> None:
    """Built on the meta device and filled with the state dict of another, it has exactly the same
    detections.

    Weights are loaded like this: a tensor outside the state dict would stay empty.
    """
    with torch.device("meta"):
        hollow = model.make(model.label_space)
    assign(
        hollow, model.detector.state_dict(), failure=f"'{model.name}' was built on the meta device."
    )
    detections, expected = detect(hollow.eval(), scene()), detect(model.detector, scene())
    require(
        detections.equals(expected),
        f"Filled from a state dict it detects {difference(detections, expected)}.",
    )


def check_no_network(model: Model) -> None:
    """Building it opens no connection, with random weights or to load others."""
    attempts: list[str] = []  # recorded, as the builder may catch the error
    with (
        refuse_connections(
            "ZOO_OFFLINE",
            "model",
            concerns=lambda: True,
            tell=lambda attempt, _: attempts.append(attempt),
        ),
        suppress(OfflineError),
        torch.device("meta"),
    ):
        model.make(model.label_space)
    require(not attempts, f"Building it {join_first(attempts, most=3)}.")


def check_building_changes_no_setting(model: Model) -> None:
    """Building it leaves torch's global settings as they are."""
    before = _settings()
    with collect_remarks() as remarks, torch.device("meta"):
        model.make(model.label_space)
    undone = [remark for remark in remarks if remark.startswith("changes ")]
    require(not undone, f"Building it {'; '.join(undone)}")
    changed = [name for name, value in _settings().items() if value != before[name]]
    torch.set_default_dtype(before["the default dtype"])  # type: ignore[arg-type]
    torch.set_grad_enabled(bool(before["gradients"]))
    torch.use_deterministic_algorithms(bool(before["determinism"]))
    require(not changed, f"Building it changed {', '.join(changed)}.")


def check_registering_imports_no_torch(model: Model) -> None:
    """Its plugin registers without importing torch, so that `zoo list` stays fast; tried in a new
    process."""
    card = model.need_card()
    parts = [card.arguments.get(part) for part in ("backbone", "neck", "head")]
    names = [card.architecture, *(part for part in parts if isinstance(part, str) and "/" in part)]
    plugins = [name.partition("/")[0] for name in names]
    plugins += [model.plugin] if model.plugin else []
    facts = {plugin: _registration(plugin) for plugin in plugins if plugin != USER}
    for info in filter(None, facts.values()):
        require(
            not info["imports_torch"],
            f"Registering {info['distribution']} {info['version']} imports torch.",
        )
    for plugin in facts:
        if facts[plugin] is None:
            raise NotHere(f"No installed distribution has the plugin '{plugin}'.")


def _weights(detector: Detector) -> dict[str, torch.Tensor]:
    return {name: parameter.detach() for name, parameter in detector.named_parameters()}


def _settings() -> dict[str, object]:
    return {
        "the default dtype": torch.get_default_dtype(),
        "gradients": torch.is_grad_enabled(),
        "determinism": torch.are_deterministic_algorithms_enabled(),
        "the number of threads": torch.get_num_threads(),
    }


@cache
def _registration(plugin: str) -> dict[str, object] | None:
    """Output of `zoo plugins` for a plugin, in a new process that has not imported torch."""
    environment = {
        **os.environ,
        "ZOO_PLUGINS": plugin,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    command = [sys.executable, "-m", "zoo", "plugins", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return next(
        (
            info
            for info in json.loads(done.stdout)
            if info["name"] == plugin and info["status"] == "loaded"
        ),
        None,
    )
