"""Lines of JSON: one an event, whatever is in it; what is quiet, and whose lines they are."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx2
import pytest

from zoo.serve import Server, log

Lines = Callable[[], list[dict[str, object]]]
Begin = Callable[..., Lines]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """(quiet) -> the lines that were written since; loggers are as before when the test ends."""
    loggers = [logging.getLogger(name) for name in (log.log.name, *log.OTHERS)]
    before = [(one.handlers, one.propagate, one.level) for one in loggers]

    def begun(*, quiet: bool = False) -> Lines:
        text = io.StringIO()
        log.write_to(logging.StreamHandler(text), quiet=quiet)
        return lambda: [json.loads(line) for line in text.getvalue().splitlines()]

    yield begun
    for logger, (handlers, propagate, level) in zip(loggers, before, strict=True):
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def test_an_event_is_one_line_with_its_time_and_fields(begin: Begin) -> None:
    lines = begin()
    log.event("request", {"status": 200, "path": "/a\nb", "model": None})
    [line] = lines()
    spent = datetime.now(UTC) - datetime.fromisoformat(str(line.pop("time")))
    assert 0 <= spent.total_seconds() < 60
    assert line == {
        "level": "info", "event": "request", "status": 200, "path": "/a\nb", "model": None,
    }  # fmt: skip


def test_what_others_say_forges_no_line_and_obeys_no_terminal(begin: Begin) -> None:
    lines = begin()
    said = 'one\n{"event": "two"}\x1b[2J\u2028'
    logging.getLogger("uvicorn.error").warning("%s", said)
    [line] = lines()
    assert line["level"] == "warning"
    assert line["event"] == 'one {"event": "two"}\\x1b[2J '


def test_an_error_has_its_traceback_in_the_same_line(begin: Begin) -> None:
    lines = begin()
    try:
        raise ZeroDivisionError("of the test")
    except ZeroDivisionError:
        log.log.exception("failed", extra={"fields": {"request_id": "a"}})
    [line] = lines()
    assert (line["level"], line["request_id"]) == ("error", "a")
    assert str(line["traceback"]).endswith("ZeroDivisionError: of the test")


def wait_for_lines(lines: Lines, count: int) -> None:
    """A request's line is written after its answer: the client may be told before the log is."""
    deadline = time.monotonic() + 30
    while len(lines()) < count and time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.mark.parametrize(("quiet", "paths"), [(False, ["/healthz", "/nope"]), (True, [])])
def test_quiet_leaves_out_what_went_well(
    quiet: bool, paths: list[str], begin: Begin, server: Server
) -> None:
    lines = begin(quiet=quiet)
    for path in ("/healthz", "/nope"):
        httpx2.get(server.url + path, headers={"X-Request-Id": "test-7"})
    wait_for_lines(lines, len(paths))
    logging.getLogger("uvicorn.error").info("Started")  # never of interest
    log.event("request", {"path": "/slow", "status": 504}, level=logging.WARNING)
    assert [line["path"] for line in lines()] == [*paths, "/slow"]
    assert {line["request_id"] for line in lines()[:-1]} == ({"test-7"} if paths else set())


def test_lines_are_not_written_twice(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    begin()
    lines = begin()
    log.event("request", {"status": 200})
    assert len(lines()) == 1
    assert caplog.records == []  # the root logger's handlers get none
