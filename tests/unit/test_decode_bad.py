"""Messages that must be refused: each with its reason, its event id where one can be found, and its claim of fire."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from devices.decode import decode
from devices.limits import payload_bytes_max
from devices.signals import DecodeError, DecodeReason, RawMessage, Source

RECEIVED = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
REASON = DecodeReason


def event(**fields: Any) -> bytes:
    return json.dumps({"event_id": "b1-7", "code": "fire.smoke", "state": "raised", **fields}).encode()


def without(key: str) -> bytes:
    fields = json.loads(event())
    del fields[key]
    return json.dumps(fields).encode()


def nested(levels: int) -> bytes:
    return event()[:-1] + b', "x": ' + b"[" * levels + b"]" * levels + b"}"


@dataclass(frozen=True)
class Bad:
    payload: bytes
    reason: DecodeReason
    event_id: str | None = "b1-7"
    claims_fire: bool = True


TOO_LONG = event(values={"x": "y" * payload_bytes_max})
BAD = {
    "empty": Bad(b"", REASON.NOT_JSON, None, False),
    "blank": Bad(b"  \n", REASON.NOT_JSON, None, False),
    "truncated": Bad(event()[:-3], REASON.NOT_JSON),
    "trailing words": Bad(event() + b" x", REASON.NOT_JSON),
    "byte-order mark": Bad(b"\xef\xbb\xbf" + event(), REASON.NOT_JSON),
    "plain words": Bad("厨房着火".encode(), REASON.NOT_JSON, None),
    "escaped words": Bad(b'{"\\u706b"', REASON.NOT_JSON, None),
    "capital words": Bad(b"SMOKE!", REASON.NOT_JSON, None),
    "harmless words": Bad(b"hello", REASON.NOT_JSON, None, False),
    "not a number": Bad(event()[:-1] + b', "values": {"x": NaN}}', REASON.NOT_JSON),
    "infinity": Bad(event()[:-1] + b', "values": {"x": -Infinity}}', REASON.NOT_JSON),
    "overflow": Bad(event()[:-1] + b', "values": {"x": 1e999}}', REASON.NOT_JSON),
    "lone surrogate": Bad(event()[:-1] + b', "values": {"x": "\\ud800"}}', REASON.NOT_JSON),
    "raw surrogate": Bad(event()[:-1] + b', "x": "\xed\xa0\x80"}', REASON.NOT_UTF8),
    "gb2312": Bad(event()[:-1] + b', "x": "' + "客厅".encode("gb2312") + b'"}', REASON.NOT_UTF8),
    "array": Bad(b"[" + event() + b"]", REASON.WRONG_SHAPE, None),
    "number": Bad(b"1", REASON.WRONG_SHAPE, None, False),
    "null": Bad(b"null", REASON.WRONG_SHAPE, None, False),
    "empty object": Bad(b"{}", REASON.WRONG_SHAPE, None, False),
    "too large": Bad(TOO_LONG, REASON.TOO_LARGE),
    "depth 17": Bad(nested(16), REASON.TOO_DEEP),
    "depth 5000": Bad(nested(5000), REASON.TOO_DEEP),
    "never closed": Bad(event()[:-1] + b', "x": ' + b"[" * 20_000, REASON.TOO_DEEP),
    "201 keys": Bad(event(values={f"v{n}": n for n in range(197)}), REASON.TOO_MANY_KEYS),
    "keys far down": Bad(event(x=[{"k": n} for n in range(200)]), REASON.TOO_MANY_KEYS),
    "key twice": Bad(event()[:-1] + b', "code": "water.leak"}', REASON.WRONG_SHAPE),
    "key twice inside": Bad(event()[:-1] + b', "values": {"a": 1, "a": 2}}', REASON.WRONG_SHAPE),
    "zero character": Bad(event(values={"x": "a\0b"}), REASON.WRONG_SHAPE),
    "id missing": Bad(without("event_id"), REASON.WRONG_SHAPE, None),
    "id is a number": Bad(event(event_id=7), REASON.WRONG_SHAPE, None),
    "id empty": Bad(event(event_id=""), REASON.WRONG_SHAPE, None),
    "id of 65": Bad(event(event_id="x" * 65), REASON.WRONG_SHAPE, None),
    "id not printable": Bad(event(event_id="a\nb"), REASON.WRONG_SHAPE, None),
    "code missing": Bad(without("code"), REASON.WRONG_SHAPE, claims_fire=False),
    "code is a number": Bad(event(code=1, x="smoke"), REASON.WRONG_SHAPE),
    "state missing": Bad(without("state"), REASON.WRONG_SHAPE),
    "state unknown": Bad(event(state="RAISED"), REASON.WRONG_SHAPE),
    "state is a flag": Bad(event(state=True), REASON.WRONG_SHAPE),
    "test is a number": Bad(event(test=1), REASON.WRONG_SHAPE),
    "values is a list": Bad(event(values=[]), REASON.WRONG_SHAPE),
    "a value is a list": Bad(event(values={"x": [1]}), REASON.WRONG_SHAPE),
    "a value is huge": Bad(event(values={"x": 2**63}), REASON.WRONG_SHAPE),
    "media is a text": Bad(event(media="https://cam.invalid"), REASON.WRONG_SHAPE),
    "media without url": Bad(event(media=[{}]), REASON.WRONG_SHAPE),
    "unknown code": Bad(event(code="soup.cold"), REASON.UNKNOWN_CODE, claims_fire=False),
    "empty code": Bad(event(code=""), REASON.UNKNOWN_CODE, claims_fire=False),
    "unknown fire": Bad(event(code="fire.dragon"), REASON.UNKNOWN_CODE),
    "unknown gas": Bad(event(code="gas.radon"), REASON.UNKNOWN_CODE),
    "capital fire": Bad(event(code="FIRE.SMOKE"), REASON.UNKNOWN_CODE),
    "vendor's smoke": Bad(event(code="acme_smoke_alarm"), REASON.UNKNOWN_CODE),
    "Chinese fire": Bad(event(code="烟雾报警"), REASON.UNKNOWN_CODE),
    "unknown fire over": Bad(event(code="fire.dragon", state="restored"), REASON.UNKNOWN_CODE, claims_fire=False),
    "misshapen fire over": Bad(event(state="restored", values=1), REASON.WRONG_SHAPE, claims_fire=False),
    "misshapen leak": Bad(event(code="water.leak", values=1), REASON.WRONG_SHAPE, claims_fire=False),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_event(name: str) -> None:
    want = BAD[name]
    fault = decode(RawMessage("gengfu/v1/smoke-0001/up/event", want.payload, RECEIVED))
    assert isinstance(fault, DecodeError), fault
    assert (fault.reason, fault.event_id, fault.claims_fire) == (want.reason, want.event_id, want.claims_fire)
    assert fault.device_key == "smoke-0001"
    assert 0 < len(fault.detail) < 200


QUIET = {
    "telemetry: words": ("telemetry", b"smoke", REASON.NOT_JSON),
    "telemetry: list": ("telemetry", b"[]", REASON.WRONG_SHAPE),
    "telemetry: battery": ("telemetry", b'{"battery": 101}', REASON.WRONG_SHAPE),
    "telemetry: rssi": ("telemetry", b'{"rssi": "weak smoke"}', REASON.WRONG_SHAPE),
    "telemetry: too large": ("telemetry", b"smoke" * 20_000, REASON.TOO_LARGE),
    "heartbeat: empty": ("heartbeat", b"", REASON.NOT_JSON),
    "status: word": ("status", b"smoke", REASON.WRONG_SHAPE),
    "status: empty": ("status", b"", REASON.WRONG_SHAPE),
    "status: bytes": ("status", b"\xff", REASON.NOT_UTF8),
    "command: no id": ("command", b'{"result": "done"}', REASON.WRONG_SHAPE),
}


@pytest.mark.parametrize("name", QUIET)
def test_what_is_not_an_event_never_claims_fire(name: str) -> None:
    part, payload, reason = QUIET[name]
    fault = decode(RawMessage(f"gengfu/v1/smoke-0001/up/{part}", payload, RECEIVED))
    assert isinstance(fault, DecodeError), fault
    assert (fault.reason, fault.claims_fire, fault.device_key) == (reason, False, "smoke-0001")


TOPICS = {
    "gengfu/v1/smoke-0001/up/events": "smoke-0001",
    "gengfu/v1/smoke-0001/up/event/": "smoke-0001",
    "gengfu/v1/smoke-0001/up/event\n": "smoke-0001",
    "gengfu/v1/smoke-0001/down/receipt": "smoke-0001",
    "gengfu/v1/abc/up/event": None,
    "gengfu/v1/" + "x" * 65 + "/up/event": None,
    "gengfu/v1/烟感一号机/up/event": None,
    "gengfu/v1/a b c d/up/event": None,
    "gengfu/v2/smoke-0001/up/event": None,
    "/gengfu/v1/smoke-0001/up/event": None,
    "": None,
}


@pytest.mark.parametrize("topic", TOPICS)
def test_unknown_topic(topic: str) -> None:
    fault = decode(RawMessage(topic, event(), RECEIVED))
    assert isinstance(fault, DecodeError)
    assert (fault.reason, fault.device_key) == (REASON.UNKNOWN_TOPIC, TOPICS[topic])
    assert fault.event_id == "b1-7"
    assert fault.claims_fire


def test_unknown_dialect() -> None:
    fault = decode(RawMessage("any", b"smoke", RECEIVED), Source("yard", "klingon"))
    assert isinstance(fault, DecodeError)
    assert (fault.reason, fault.claims_fire) == (REASON.UNKNOWN_DIALECT, True)
