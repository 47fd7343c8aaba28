"""The conformance kit and a local Hub, for the tests of plugins; importing it imports no torch."""

from importlib import import_module
from typing import TYPE_CHECKING

from zoo.testing.conformance.errors import ConformanceError as ConformanceError
from zoo.testing.conformance.errors import NotApplicable as NotApplicable
from zoo.testing.hub.fault import Fault as Fault
from zoo.testing.hub.loopback import LoopbackHub as LoopbackHub
from zoo.testing.hub.server import Request as Request

if TYPE_CHECKING:
    from zoo.testing.conformance.checklist import CHECKS as CHECKS
    from zoo.testing.conformance.checklist import Check as Check
    from zoo.testing.conformance.decorator import conformance as conformance
    from zoo.testing.conformance.model import Model as Model
    from zoo.testing.conformance.runner import Outcome as Outcome
    from zoo.testing.conformance.runner import run as run
    from zoo.testing.toy import Toy as Toy

_HOME = {
    "CHECKS": "zoo.testing.conformance.checklist",
    "Check": "zoo.testing.conformance.checklist",
    "Model": "zoo.testing.conformance.model",
    "Outcome": "zoo.testing.conformance.runner",
    "Toy": "zoo.testing.toy",
    "run": "zoo.testing.conformance.runner",
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
