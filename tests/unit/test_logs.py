"""Logs: one line of JSON or of words per record, without telephone numbers and secrets."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta, timezone
from typing import Any

import pytest

from gengfu import logs

logger = logging.getLogger("gengfu.test")
API_KEY = "gf_" + "aB3-" * 10 + "xyz"
SECRET = "a secret of this deployment"


@pytest.fixture
def lines() -> Iterator[Callable[..., io.StringIO]]:
    """Configure logging as a process would, into a stream; everything is put back afterwards."""
    root = logging.getLogger()
    names = [root, logger, *(logging.getLogger(name) for name in logs.QUIET)]
    levels, handlers = [each.level for each in names], root.handlers[:]

    def configure(log_format: Any, level: str = "info") -> io.StringIO:
        stream = io.StringIO()
        zone = timezone(timedelta(hours=8))
        logs.configure(log_format, level, secrets=[SECRET, "ab"], zone=zone, stream=stream)
        return stream

    yield configure
    root.handlers[:] = handlers
    for each, level in zip(names, levels, strict=True):
        each.setLevel(level)
    logging.captureWarnings(False)


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("call 13812341234 now", "call 138****1234 now"),
        ("to +8613812341234.", "to 138****1234."),
        ("To=%2B8613812341234&From=x", "To=138****1234&From=x"),
        ("8613812341234 and 008613812341234", "138****1234 and 138****1234"),
        ("+15005550006", "+15****0006"),
        (f"Bearer {API_KEY}", "Bearer ***"),
        ("mqtt://gengfu-service:pass@h:1883", "mqtt://gengfu-service:***@h:1883"),
        (f"it is {SECRET}!", "it is ***!"),
        ("ab", "ab"),
    ],
)
def test_numbers_and_secrets_are_masked(said: str, logged: str) -> None:
    assert logs.Mask([SECRET, "ab"]).text(said) == logged


@pytest.mark.parametrize(
    "harmless",
    [
        "at 1732350000000 ms",
        "epoch 1732350000",
        "id 01936f2a-1111-7111-8111-111111111111",
        "2026-11-23T03:12:09+08:00",
        "0.13812341234 s",
        "attempt a13812341234b",
    ],
)
def test_other_digits_stay_as_they_are(harmless: str) -> None:
    assert logs.Mask().text(harmless) == harmless


def test_json_lines_hold_message_extras_and_traceback(lines: Callable[..., io.StringIO]) -> None:
    stream = lines("json")
    try:
        raise ValueError("no answer from +8613812341234")
    except ValueError:
        extra = {"phone": 13812341234, "n": 3, "to": ["+8613812341234"]}
        logger.exception("call to %s failed", "13812341234", extra=extra)
    logger.debug("not shown")
    (line,) = stream.getvalue().splitlines()
    said = json.loads(line)
    assert said["time"].endswith("Z")
    assert (said["level"], said["logger"], said["n"]) == ("error", "gengfu.test", 3)
    assert said["message"] == "call to 138****1234 failed"
    assert (said["phone"], said["to"]) == ("138****1234", ["138****1234"])
    assert "ValueError: no answer from 138****1234" in said["exc_info"]


def test_text_lines_have_local_time_and_extras(lines: Callable[..., io.StringIO]) -> None:
    stream = lines("text", "debug")
    record = logger.makeRecord(logger.name, logging.INFO, "", 0, "committed for %s", ("13812341234",), None)
    record.created = 1_795_400_000.25
    record.channel = "sms"
    logger.handle(record)
    assert stream.getvalue() == "2026-11-23 10:13:20.250 INFO    gengfu.test: committed for 138****1234 channel=sms\n"


def test_libraries_keep_quiet_and_lines_are_not_doubled(lines: Callable[..., io.StringIO]) -> None:
    lines("text")
    stream = lines("text", "debug")
    for name in ("uvicorn.access", "aiohttp.access", "sqlalchemy.engine"):
        logging.getLogger(name).info("chatter")
    logger.info("once")
    assert [line.split(": ")[1] for line in stream.getvalue().splitlines()] == ["once"]
    logging.getLogger("uvicorn.error").warning("trouble")
    assert "trouble" in stream.getvalue()
