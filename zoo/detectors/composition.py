"""A composition: the names and arguments of a detector's parts, before anything is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

Arguments = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Composition:
    """Names and arguments of the parts, as given to `zoo.compose` or in a card's `arguments`.

    strides: of the maps that the backbone shall return, in input pixels per cell, finest first.
    """

    backbone: str
    head: str
    neck: str | None = None
    strides: tuple[int, ...] = (8, 16, 32)
    backbone_arguments: Arguments = field(default_factory=dict)
    neck_arguments: Arguments = field(default_factory=dict)
    head_arguments: Arguments = field(default_factory=dict)

    def names(self) -> dict[str, str]:
        """Names of the parts by kind, backbone first."""
        parts = {"backbone": self.backbone, "neck": self.neck, "head": self.head}
        return {kind: name for kind, name in parts.items() if name is not None}

    def arguments_of(self, kind: str) -> Arguments:
        """Arguments of the `backbone`, `neck` or `head`."""
        arguments: Arguments = getattr(self, f"{kind}_arguments")
        return arguments

    def settings(self) -> dict[str, object]:
        """The values that differ from the defaults, in the form of a card's `arguments`."""
        settings: dict[str, object] = {
            "backbone": self.backbone,
            "neck": self.neck,
            "head": self.head,
            "strides": list(self.strides),
        }
        settings |= {
            f"{kind}_arguments": dict(self.arguments_of(kind))
            for kind in ("backbone", "neck", "head")
        }
        return {
            name: value for name, value in settings.items() if value not in (None, {}, [8, 16, 32])
        }

    def changes(self, other: Composition) -> str:
        """Arguments of `zoo.compose` that turn this composition into `other`: `neck="fpn",
        strides=(16, 32)`."""
        return ", ".join(
            f"{name}={_literal(getattr(other, name))}" for name in self._differing(other)
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
    """One field of a composition as options of the command line."""
    if isinstance(value, Mapping):
        part = name.removesuffix("_arguments")
        return " ".join(
            f"--set {part}.{key}={_literal(option).replace(' ', '')}"
            for key, option in value.items()
        )
    if isinstance(value, tuple):
        return f"--{name} {','.join(map(str, value))}"
    return f"without --{name}" if value is None else f"--{name} {value}"


def _literal(value: object) -> str:
    """A value as a Python literal, with text in double quotes as everywhere in the docs."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f"{_literal(key)}: {_literal(member)}" for key, member in value.items())
            + "}"
        )
    return repr(value)
