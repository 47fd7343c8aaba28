"""Serves predictors over HTTP: `zoo serve`, a `Server` for programs, and a typed `Client`."""

from typing import TYPE_CHECKING

from zoo.serve.client import Client as Client
from zoo.serve.client import ServedModel as ServedModel
from zoo.serve.client import ServerError as ServerError
from zoo.serve.options import Options as Options

if TYPE_CHECKING:
    from zoo.serve.server import Server as Server

__all__ = ["Client", "Options", "ServedModel", "Server", "ServerError"]


def __getattr__(name: str) -> object:
    if name != "Server":
        raise AttributeError(
            f"module 'zoo.serve' has no attribute {name!r}; it has {', '.join(__all__)}"
        )
    from zoo.extras import optional  # deferred: a client needs none of it

    for module in ("fastapi", "uvicorn", "prometheus_client", "python_multipart"):
        optional(module, wanted_for="A server of detections", extra="serve")
    from zoo.serve.server import Server

    return Server
