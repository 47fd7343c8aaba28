"""torch's device backends: looked for where every distribution can be read, and else left out, so
that torch can be imported.

When it is imported, torch asks all installed distributions for backends, and fails at the first
that can't be read, whoever's it is. A command of the zoo goes on without backends then, and says
whose fault that is.
"""

from __future__ import annotations

from zoo import environment
from zoo.cli import stderr


def spare() -> None:
    """Tells torch not to look for device backends where a damaged distribution would end the
    command; says which it is."""
    from zoo.registry.distributions import (
        damaged_distributions,  # deferred: a listing imports no torch
    )

    for part in [] if environment.names_device_backends() else damaged_distributions():
        environment.leave_out_device_backends()
        stderr.warning(
            f"{part.owner.name} {part.owner.version} is damaged: {part.fault} "
            f"torch can't look for device backends next to it and does without. pip install "
            f"--force-reinstall {part.owner.name}"
        )
