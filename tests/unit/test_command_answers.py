"""What a device says of a command it was sent: read from `up/command`, urgent, and nothing else is taken for it."""

from datetime import UTC, datetime

import msgspec
import pytest

from alerting.reading import urgency
from alerting.verdicts import Urgency
from devices.decode import decode
from devices.signals import CommandAnswer, DecodeError, DecodeReason, RawMessage, SignalKind, Uplink

NOW = datetime(2026, 11, 22, 19, 12, tzinfo=UTC)


def read(body: object, part: str = "command") -> Uplink | DecodeError:
    return decode(RawMessage(f"gengfu/v1/charger-0001/up/{part}", msgspec.json.encode(body), NOW))


def test_done_and_failed_with_reason_and_values() -> None:
    done = read({"command_id": "c-1", "result": "done", "values": {"charging": False}})
    assert isinstance(done, Uplink)
    assert done.answer == CommandAnswer("c-1", True, "", {"charging": False})
    assert (done.device_key, done.event_id, done.readings[0].signal) == ("charger-0001", None, SignalKind.TELEMETRY)
    failed = read({"command_id": "c-1", "result": "failed", "reason": "继电器粘连"})
    assert isinstance(failed, Uplink)
    assert failed.answer == CommandAnswer("c-1", False, "继电器粘连")


def test_an_answer_stands_in_front_of_what_waits() -> None:
    assert urgency(read({"command_id": "c-1", "result": "failed"})) is Urgency.ALARM
    assert urgency(read({"values": {"charging": True}}, "telemetry")) is Urgency.BACKGROUND


def test_telemetry_that_looks_like_an_answer_is_none() -> None:
    told = read({"values": {"command_id": "c-1", "result": "done"}}, "telemetry")
    assert isinstance(told, Uplink)
    assert told.answer is None


@pytest.mark.parametrize(
    "body",
    [
        {"command_id": "c-1", "result": "perhaps"},
        {"command_id": "c-1"},
        {"result": "done"},
        {"command_id": "", "result": "done"},
        {"command_id": 7, "result": "done"},
        {"command_id": "c" * 65, "result": "done"},
        {"command_id": "c-1", "result": "failed", "reason": ["fire"]},
        ["done"],
    ],
)
def test_what_is_no_answer_is_put_aside_and_raises_nothing(body: object) -> None:
    error = read(body)
    assert isinstance(error, DecodeError)
    assert (error.reason, error.claims_fire) == (DecodeReason.WRONG_SHAPE, False)
    assert urgency(error) is Urgency.OTHER
