"""What a plugin's author tests with; importing it imports no torch."""

from zoo.testing.fault import Fault as Fault
from zoo.testing.loopback import LoopbackHub as LoopbackHub
from zoo.testing.server import Request as Request
