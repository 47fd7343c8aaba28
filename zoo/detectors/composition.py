"""A composition: the names and arguments of a detector's parts, before anything is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

Arguments = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Composition:
    """The parts by name, as `zoo.compose` and a card's `arguments` give them.

    strides: input pixels a cell of each map that the backbone is asked for, finest first.
    """

    backbone: str
    head: str
    neck: str | None = None
    strides: tuple[int, ...] = (8, 16, 32)
    backbone_arguments: Arguments = field(default_factory=dict)
    neck_arguments: Arguments = field(default_factory=dict)
    head_arguments: Arguments = field(default_factory=dict)

    def names(self) -> dict[str, str]:
        """The parts there are, by kind, backbone first."""
        named = {"backbone": self.backbone, "neck": self.neck, "head": self.head}
        return {kind: name for kind, name in named.items() if name is not None}

    def arguments_of(self, kind: str) -> Arguments:
        """Arguments of the `backbone`, `neck` or `head`."""
        arguments: Arguments = getattr(self, f"{kind}_arguments")
        return arguments

    def settings(self) -> dict[str, object]:
        """Everything that differs from the default, as a card's `arguments` in YAML would hold
        it."""
        said: dict[str, object] = {
            "backbone": self.backbone,
            "neck": self.neck,
            "head": self.head,
            "strides": list(self.strides),
        }
        said |= {
            f"{kind}_arguments": dict(self.arguments_of(kind))
            for kind in ("backbone", "neck", "head")
        }
        return {name: value for name, value in said.items() if value not in (None, {}, [8, 16, 32])}

    def changes(self, other: Composition) -> str:
        """Arguments to type instead to get `other`: `neck="fpn", strides=(16, 32)`."""
        return ", ".join(
            f"{name}={_typed(getattr(other, name))}" for name in self._differing(other)
        )

    def changes_cli(self, other: Composition) -> str:
        """The same for `zoo compose`: `--neck fpn --strides 16,32`."""
        options = [_options(name, getattr(other, name)) for name in self._differing(other)]
        return " ".join(option for option in options if option)

    def _differing(self, other: Composition) -> list[str]:
        return [
            entry.name
            for entry in fields(self)
            if getattr(self, entry.name) != getattr(other, entry.name)
        ]


def _options(name: str, value: object) -> str:
    """One field of a plan as options of the command line."""
    if isinstance(value, Mapping):
        part = name.removesuffix("_arguments")
        return " ".join(
            f"--set {part}.{key}={_typed(option).replace(' ', '')}" for key, option in value.items()
        )
    if isinstance(value, tuple):
        return f"--{name} {','.join(map(str, value))}"
    return f"without --{name}" if value is None else f"--{name} {value}"


def _typed(value: object) -> str:
    """A value as one types it, text in double quotes as everywhere in the docs."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f"{_typed(key)}: {_typed(member)}" for key, member in value.items())
            + "}"
        )
    return repr(value)
