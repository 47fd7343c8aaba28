"""The core's own plugin, `zoo`: its one architecture, registered through the same hook as everybody's; imports no torch."""

from __future__ import annotations

from zoo.registry.hookspecs import Register, hookimpl


@hookimpl
def register_architectures(register: Register) -> None:
    """`compose`: any backbone, neck and head whose levels fit, by name."""
    register("compose", "zoo.detectors.compose:build")
