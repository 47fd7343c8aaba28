"""Weights: fetched, verified, converted, locked and bundled. Nothing here trusts a byte before its
sha256 is known.

Importing it imports neither torch nor huggingface_hub; `zoo.environment` reads the environment
variables.
"""

from zoo.weights.bundle import bundle as bundle
from zoo.weights.file_status import FileStatus as FileStatus
from zoo.weights.file_status import remove as remove
from zoo.weights.file_status import verify as verify
from zoo.weights.lock import Lock as Lock
from zoo.weights.lock import Pin as Pin
from zoo.weights.manifest import Manifest as Manifest
from zoo.weights.records import WeightsFile as WeightsFile
from zoo.weights.records import WeightsRequest as WeightsRequest
from zoo.weights.resolve import Resolved as Resolved
from zoo.weights.resolve import choose as choose
from zoo.weights.resolve import fetch as fetch
from zoo.weights.resolve import locate as locate
from zoo.weights.resolve import relock as relock
from zoo.weights.resolve import request_for as request_for
from zoo.weights.resolve import resolve as resolve
