"""Head transfer: puts a head for other classes on a trained network, and copies the old head's rows
of every class that both have by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from zoo.detectors.build import on_meta_device
from zoo.detectors.checkpoint import assign
from zoo.detectors.class_rows import transfer_rows
from zoo.detectors.detector import Detector, class_layers, translate_checkpoint
from zoo.errors import ContractError
from zoo.labels import LabelSpace
from zoo.labels.matching import LabelMatch, match_labels
from zoo.text import is_are, join_first, pluralize

Make = Callable[[LabelSpace], Detector]
Rows = tuple[Tensor, int]  # a tensor of the new head, and how many of its rows are new
MAX_NAMES_SHOWN = 10  # names listed before "and 17 more"


@dataclass(frozen=True)
class NewRows:
    """One tensor of the new head.

    tensor: its name in the state dict.
    shape:  its shape.
    new:    how many of its rows start fresh; the others come from the weights.
    """

    tensor: str
    shape: tuple[int, ...]
    new: int


@dataclass(frozen=True)
class HeadTransfer:
    """Report of a head for other classes than the weights were trained for; `print` it.

    match:   the classes of the weights (`model`) and the new ones (`data`), matched by name.
    tensors: every tensor that has rows per class.
    kept:    the number of other tensors, which come from the weights unchanged.
    """

    match: LabelMatch
    tensors: tuple[NewRows, ...]
    kept: int

    @property
    def carried(self) -> dict[str, str]:
        """New class -> the class of the weights whose rows it has."""
        if not self.carries:
            return {}
        old, new = self.match.model.names, self.match.data.names
        old_label = {theirs: ours for ours, theirs in self.match.pairs}
        return {new[label]: old[old_label[label]] for label in sorted(old_label)}

    @property
    def carries(self) -> bool:
        """Whether rows were carried over at all: not in a family without `class_layers`."""
        return any(rows.new < rows.shape[0] for rows in self.tensors)

    @property
    def new_classes(self) -> tuple[str, ...]:
        """Classes that start as in a new network and have to be trained."""
        carried = self.carried
        return tuple(name for name in self.match.data.names if name not in carried)

    @property
    def new_tensors(self) -> tuple[NewRows, ...]:
        """Tensors with at least one new row."""
        return tuple(rows for rows in self.tensors if rows.new)

    def __str__(self) -> str:
        carried = [
            name if name == before else f"{name} (there {before})"
            for name, before in self.carried.items()
        ]
        others = self.kept + len(self.tensors) - len(self.new_tensors)
        lines = [
            f"A head for {_classes(self.match.data)} on weights for {_classes(self.match.model)}.",
            f"Carried over: {join_first(carried, MAX_NAMES_SHOWN) or 'none'}.",
            f"New, to be trained: {join_first(self.new_classes, MAX_NAMES_SHOWN) or 'none'}.",
        ]
        for rows in self.new_tensors:
            count = f"{rows.new} of {pluralize(rows.shape[0], 'row')} {is_are(rows.new)} new"
            lines.append(f"  {rows.tensor} {rows.shape}: {count}")
        lines.append(f"The other {pluralize(others, 'tensor')} {is_are(others)} from the weights.")
        return "\n".join(lines)


def transfer_head(
    detector: Detector,
    published: Mapping[str, Tensor],
    *,
    old: LabelSpace,
    make: Make,
    failure: str,
) -> HeadTransfer:
    """Fills a detector on the meta device from weights for the classes of `old`, and reports what
    is new in its head.

    make:    builds the same architecture for another label space, on the current default device.
    failure: the first part of an error's message.

    Raises:
        CheckpointError: the weights do not fit the architecture with `old`.
        ContractError: the family's `class_layers` is wrong.
    """
    with on_meta_device():
        source = make(old)
    assign(source, published, failure=failure)
    if class_layers(detector) is None:
        head = _new_tensors(make, detector)
    else:
        head = _carried_tensors(source, detector)
    body = {name: tensor for name, tensor in source.state_dict().items() if name not in head}
    _check_body(body, detector)
    new = {name: tensor for name, (tensor, _) in head.items()}
    detector.load_state_dict({**body, **new}, assign=True)
    rows = tuple(
        NewRows(name, tuple(tensor.shape), count) for name, (tensor, count) in head.items()
    )
    return HeadTransfer(match_labels(source.label_space, detector.label_space), rows, len(body))


def fits(detector: Detector, published: Mapping[str, Tensor]) -> bool:
    """Whether every tensor that `published` and `detector` both have is of the same shape."""
    own = detector.state_dict()
    state = translate_checkpoint(detector, published)
    return all(own[name].shape == tensor.shape for name, tensor in state.items() if name in own)


def _carried_tensors(source: Detector, detector: Detector) -> dict[str, Rows]:
    """The tensors of every class layer, with the rows of known classes copied."""
    pairs = match_labels(source.label_space, detector.label_space).pairs
    label = {theirs: ours for ours, theirs in pairs}
    layers = zip(class_layers(source) or (), class_layers(detector) or (), strict=True)
    tensors: dict[str, Rows] = {}
    for old, layer in layers:
        tensors |= transfer_rows(source, detector, old, layer, label)
    return tensors


def _new_tensors(make: Make, detector: Detector) -> dict[str, Rows]:
    """New tensors for a family without `class_layers`: those whose shape depends on the number of
    classes, with the weights that a new network starts with."""
    count = len(detector.label_space.channels) + 1
    more = LabelSpace.custom(f"class {number}" for number in range(count))
    with on_meta_device():
        other = make(more).state_dict()
    changing = [
        name for name, tensor in detector.state_dict().items() if other[name].shape != tensor.shape
    ]
    with torch.device("cpu"):
        new = make(detector.label_space).state_dict()
    return {name: (new[name], len(new[name])) for name in changing}


def _check_body(body: Mapping[str, Tensor], detector: Detector) -> None:
    """Raises: ContractError if a tensor outside the head has another shape in `detector`."""
    own = detector.state_dict()
    for name, tensor in body.items():
        if name not in own or own[name].shape != tensor.shape:
            layer = name.rpartition(".")[0]
            raise ContractError(
                f"{type(detector).__name__} can't be loaded for other classes.",
                f"'{name}' depends on the number of classes, and is in no layer that its "
                f"class_layers names.",
                f'In its plugin, let class_layers name it too: ClassLayer("{layer:.80}", '
                f"channels=…).",
            )


def _classes(label_space: LabelSpace) -> str:
    return f"{pluralize(len(label_space), 'class', 'classes')} ({label_space.title})"
