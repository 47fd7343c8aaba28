"""What a plugin's author tests with: the conformance kit, and a Hub on this machine; importing it
imports no torch."""

from importlib import import_module
from typing import TYPE_CHECKING

from zoo.testing.fault import Fault as Fault
from zoo.testing.loopback import LoopbackHub as LoopbackHub
from zoo.testing.server import Request as Request
from zoo.testing.verdict import ConformanceError as ConformanceError
from zoo.testing.verdict import NotApplicable as NotApplicable

if TYPE_CHECKING:
    from zoo.testing.checklist import CHECKS as CHECKS
    from zoo.testing.checklist import Check as Check
    from zoo.testing.decorator import conformance as conformance
    from zoo.testing.model import Model as Model
    from zoo.testing.outcome import Outcome as Outcome
    from zoo.testing.outcome import run as run
    from zoo.testing.toy import Toy as Toy

_HOME = {
    "CHECKS": "zoo.testing.checklist",
    "Check": "zoo.testing.checklist",
    "Model": "zoo.testing.model",
    "Outcome": "zoo.testing.outcome",
    "Toy": "zoo.testing.toy",
    "conformance": "zoo.testing.decorator",
    "run": "zoo.testing.outcome",
}

__all__ = [
    "CHECKS",
    "Check",
    "ConformanceError",
    "Fault",
    "LoopbackHub",
    "Model",
    "NotApplicable",
    "Outcome",
    "Request",
    "Toy",
    "conformance",
    "run",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(
            f"module 'zoo.testing' has no attribute {name!r}; it has {', '.join(__all__)}"
        )
    return getattr(import_module(_HOME[name]), name)
