"""Head transfer: a head for other classes on a trained network, with the old head's rows of every
class that both know by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from zoo.detectors.build import on_meta_device
from zoo.detectors.checkpoint import assign
from zoo.detectors.class_rows import transfer_rows
from zoo.detectors.detector import Detector, class_layers, translated
from zoo.errors import ContractError
from zoo.labels import LabelSpace
from zoo.labels.matching import LabelMatch, match_labels
from zoo.text import is_are, listed, pluralize

Make = Callable[[LabelSpace], Detector]
Rows = tuple[Tensor, int]  # a tensor of the new head, and how many of its rows are new
SHOWN = 10  # names listed before "and 17 more"


@dataclass(frozen=True)
class NewRows:
    """One tensor of the new head.

    tensor: its name in the state dict.
    shape:  its shape.
    new:    how many of its rows start fresh; the others are from the weights.
    """

    tensor: str
    shape: tuple[int, ...]
    new: int


@dataclass(frozen=True)
class HeadTransfer:
    """Report of a head for other classes than the weights were trained for; `print` it.

    match:   which classes of the weights (`model`) are which of the new ones (`data`), by name.
    tensors: every tensor that has rows for classes.
    kept:    how many other tensors there are; they are those of the weights.
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
            f"Carried over: {listed(carried, SHOWN) or 'none'}.",
            f"New, to be trained: {listed(self.new_classes, SHOWN) or 'none'}.",
        ]
        for rows in self.new_tensors:
            count = f"{rows.new} of {pluralize(rows.shape[0], 'row')} {is_are(rows.new)} new"
            lines.append(f"  {rows.tensor} {rows.shape}: {count}")
        lines.append(f"The other {pluralize(others, 'tensor')} {is_are(others)} from the weights.")
        return "\n".join(lines)


def transfer_head(
    detector: Detector, published: Mapping[str, Tensor], *, old: LabelSpace, make: Make, asked: str
) -> HeadTransfer:
    """Fills a detector that is on the meta device from weights for the classes of `old`, and
    reports what of it is new.

    make: builds the same architecture for another label space, on the current default device.

    Raises:
        CheckpointError: the weights do not fit the architecture with `old`.
        ContractError: the family says wrongly which of its layers are by class.
    """
    with on_meta_device():
        source = make(old)
    assign(source, published, asked=asked)
    if class_layers(detector) is None:
        head = _new_tensors(make, detector)
    else:
        head = _carried_tensors(source, detector)
    kept = {name: tensor for name, tensor in source.state_dict().items() if name not in head}
    _check_kept(kept, detector)
    new = {name: tensor for name, (tensor, _) in head.items()}
    detector.load_state_dict({**kept, **new}, assign=True)
    rows = tuple(
        NewRows(name, tuple(tensor.shape), count) for name, (tensor, count) in head.items()
    )
    return HeadTransfer(match_labels(source.label_space, detector.label_space), rows, len(kept))


def fits(detector: Detector, published: Mapping[str, Tensor]) -> bool:
    """Whether every tensor of `published` that `detector` has, too, is of the same shape there."""
    own = detector.state_dict()
    state = translated(detector, published)
    return all(own[name].shape == tensor.shape for name, tensor in state.items() if name in own)


def _carried_tensors(source: Detector, detector: Detector) -> dict[str, Rows]:
    """The tensors of every class layer, the rows of known classes copied bit by bit."""
    pairs = match_labels(source.label_space, detector.label_space).pairs
    label = {theirs: ours for ours, theirs in pairs}
    layers = zip(class_layers(source) or (), class_layers(detector) or (), strict=True)
    tensors: dict[str, Rows] = {}
    for old, layer in layers:
        tensors |= transfer_rows(source, detector, old, layer, label)
    return tensors


def _new_tensors(make: Make, detector: Detector) -> dict[str, Rows]:
    """All new, for a family without `class_layers`: the tensors whose shape follows the number of
    classes."""
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


def _check_kept(kept: Mapping[str, Tensor], detector: Detector) -> None:
    """Raises: ContractError if a tensor that is not of the head has another shape."""
    own = detector.state_dict()
    for name, tensor in kept.items():
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
