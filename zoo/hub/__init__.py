"""Weights: fetched, verified, converted, locked and bundled. Nothing here trusts a byte before its sha256 is known.

Importing it imports neither torch nor huggingface_hub; `zoo.hub.settings` lists the environment variables.
"""

from zoo.hub.choice import Found as Found
from zoo.hub.choice import choose as choose
from zoo.hub.choice import find as find
from zoo.hub.choice import wanted as wanted
from zoo.hub.delivery import fetch as fetch
from zoo.hub.delivery import locate as locate
from zoo.hub.delivery import relock as relock
from zoo.hub.fetched import Fetched as Fetched
from zoo.hub.fetched import Wanted as Wanted
from zoo.hub.lock import Lock as Lock
from zoo.hub.lock import Pin as Pin
from zoo.hub.manifest import Manifest as Manifest
from zoo.hub.packing import bundle as bundle
from zoo.hub.verification import Verified as Verified
from zoo.hub.verification import remove as remove
from zoo.hub.verification import verify as verify
