"""The sockets and threads under a loopback Hub: sends answers over HTTP/1.1, or fails at it as a fault says."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from zoo.testing.answer import Answer, refusal
from zoo.testing.fault import Fault

if TYPE_CHECKING:
    from zoo.testing.loopback import Request

PIECE = 1 << 14
