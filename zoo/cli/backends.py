"""torch's device backends, skipped if a damaged distribution would make importing torch fail.

On import, torch searches all installed distributions for backends, and fails at the first that it
can't read. A command of the zoo then goes on without backends and names the damaged distribution.
"""

from __future__ import annotations

from zoo import environment
from zoo.cli import stderr


def skip_if_damaged() -> None:
    """Tells torch to skip device backends if a distribution is damaged, and warns of it."""
    from zoo.registry.distributions import damaged_distributions  # deferred: listings need no torch

    for part in [] if environment.names_device_backends() else damaged_distributions():
        environment.leave_out_device_backends()
        stderr.warning(
            f"{part.owner.name} {part.owner.version} is damaged: {part.fault} "
            f"torch can't look for device backends next to it and does without. pip install "
            f"--force-reinstall {part.owner.name}"
        )
