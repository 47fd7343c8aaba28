"""Logs as lines of JSON: one per request, with its id, and one per other event."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from zoo.printable import printable

log = logging.getLogger("zoo.serve")
OTHERS = ("uvicorn.error",)  # loggers of libraries


class JsonLine(logging.Formatter):
    """Formats a record as one line of JSON: time, level, event, and the record's fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without a line break."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": printable(record.getMessage()),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def event(name: str, fields: Mapping[str, object], *, level: int = logging.INFO) -> None:
    """Logs one event with its fields."""
    log.log(level, name, extra={"fields": dict(fields)})


def write_to(handler: logging.Handler, *, quiet: bool = False) -> None:
    """Sends the logs of the server and its libraries to a handler, as lines of JSON.

    quiet: leaves out successful requests.
    """
    handler.setFormatter(JsonLine())
    for name in (log.name, *OTHERS):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(logging.WARNING if quiet or name in OTHERS else logging.INFO)
