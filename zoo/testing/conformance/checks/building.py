"""Building a detector: for any classes, reproducible, on the meta device, and without side
effects."""

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
from zoo.registry.containment import collect_remarks
from zoo.registry.offline_guard import refuse_connections
from zoo.registry.registry_file import USER
from zoo.testing.conformance.compare import agree, shown
from zoo.testing.conformance.errors import NotHere, require
from zoo.testing.conformance.images import detect, one_target, preprocess, scene
from zoo.testing.conformance.model import Model
from zoo.testing.conformance.train_mode import train_mode
from zoo.text import listed

LETTERS = LabelSpace.custom([chr(letter) for letter in range(ord("a"), ord("a") + 7)])


def check_labels_obeyed(model: Model) -> None:
    """Built for other classes, it answers in them and can be trained on the last of them."""
    detector = model.build(LETTERS)
    require(
        detector.label_space.names == LETTERS.names,
        f"Built for {len(LETTERS)} classes, it has {len(detector.label_space)}.",
    )
    detections = detect(detector, scene())
    require(
        detections.names == LETTERS.names,
        f"Built for {LETTERS.names}, it answers in {detections.names[:4]}.",
    )
    with train_mode(detector):
        batch = preprocess(detector, [scene(), scene(seed=1)])
        targets = [one_target(len(LETTERS) - 1), one_target()]
        losses = detector.loss(detector(batch, targets), batch, targets)
        broken = [name for name, loss in losses.items() if not loss.isfinite()]
        require(
            not broken, f"Built for other classes, its loss is not finite: {', '.join(broken)}."
        )


def check_one_class(model: Model) -> None:
    """Built for a single class it works as well, and can doubt."""
    detections = detect(model.build(LabelSpace.custom(["thing"])), scene())
    labels = set(detections.labels.tolist())
    require(labels <= {0}, f"Built for one class, it sees the labels {sorted(labels)}.")
    certain = len(detections) > 1 and bool((detections.scores == 1).all())
    require(
        not certain,
        "Built for one class, it is certain of everything: a softmax over one class is always 1.",
    )


def check_classes_carried_over(model: Model) -> None:
    """Its weights serve for the same classes in another order: it sees the same boxes of the same
    class names.

    Of a detector whose `class_layers` says nothing, only that it can be given other classes.
    Tolerance: 80 % of the 20 best boxes have a partner of the same class, with an IoU of 0.9 and a
        score within 0.01.
    """
    own = model.plain.label_space
    turned = LabelSpace("turned", own.names[::-1], channels=own.channels)
    with torch.device("meta"):
        other = model.make(turned).eval()
    asked = f"'{model.name}' can't be built with its classes in another order."
    transfer_head(
        other, model.detector.state_dict(), old=model.label_space, make=model.make, asked=asked
    )
    detections, expected = copy(detect(other, scene())), detect(model.detector, scene())
    vars(detections).update(
        labels=len(own) - 1 - detections.labels
    )  # back in the old order; what is wrong with them is for other checks
    carried = agree(detections, expected) or other.class_layers() is None
    require(carried, f"With its classes in another order it sees {shown(detections, expected)}.")


def check_space_is_the_cards(model: Model) -> None:
    """Its label space has the class names that its card declares, in their order."""
    label_space = model.plain.label_space
    require(
        label_space.names == model.label_space.names,
        f"It has {label_space!r}, the card {model.label_space!r}.",
    )


def check_seeded(model: Model) -> None:
    """The same seed gives the same weights, another seed others."""
    first, again, other = (_weights(model.build(seed=seed)) for seed in (1, 1, 2))
    changed = [name for name in first if not torch.equal(first[name], again[name])]
    require(not changed, f"Built twice from one seed, {', '.join(changed[:4])} differ.")
    require(
        any(not torch.equal(first[name], other[name]) for name in first),
        "Another seed gives the same weights.",
    )


def check_meta_device(model: Model) -> None:
    """Built on the meta device and filled with another's state dict, it sees exactly what the other
    sees.

    This is how weights are loaded: a tensor outside the state dict would stay empty.
    """
    with torch.device("meta"):
        hollow = model.make(model.label_space)
    assign(
        hollow, model.detector.state_dict(), asked=f"'{model.name}' was built on the meta device."
    )
    detections, expected = detect(hollow.eval(), scene()), detect(model.detector, scene())
    require(
        detections.equals(expected),
        f"Filled from a state dict it sees {shown(detections, expected)}.",
    )


def check_no_network(model: Model) -> None:
    """Building it, with random weights or for weights to come, opens no connection."""
    asked: list[str] = []  # noted, as code may go on where it is refused
    with (
        refuse_connections(
            "ZOO_OFFLINE", "model", concerns=lambda: True, tell=lambda what, _: asked.append(what)
        ),
        suppress(OfflineError),
        torch.device("meta"),
    ):
        model.make(model.label_space)
    require(not asked, f"Building it {listed(asked, most=3)}.")


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
    """Its plugin registers without importing torch, so that listing stays fast; asked in a process
    of its own."""
    card = model.need_card()
    parts = [card.arguments.get(part) for part in ("backbone", "neck", "head")]
    names = [card.architecture, *(part for part in parts if isinstance(part, str) and "/" in part)]
    plugins = [name.partition("/")[0] for name in names]
    plugins += [model.plugin] if model.plugin else []
    facts = {plugin: _registered(plugin) for plugin in plugins if plugin != USER}
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
def _registered(plugin: str) -> dict[str, object] | None:
    """Output of `zoo plugins` on a plugin in a fresh process that has not imported torch."""
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
