"""Whatever the bytes: `decode` answers, never raises, and says nothing that a database or a receipt could choke on."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices.decode import decode
from devices.signals import DecodeError, DecodeReason, RawMessage, Uplink
from devices.taxonomy import TAXONOMY

RECEIVED = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PARTS = ("event", "telemetry", "heartbeat", "status", "command")
ANY_TEXT = st.text(st.characters(), max_size=70)
KEYS = st.sampled_from(("event_id", "code", "state", "test", "values", "media", "url", "observed_at", "battery", "x"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | ANY_TEXT, inner, max_size=6),
    max_leaves=20,
)
NEARLY_EVENT = st.fixed_dictionaries(
    {
        "event_id": ANY_TEXT | JSON,
        "code": st.sampled_from(sorted(TAXONOMY)) | JSON,
        "state": st.sampled_from(("raised", "restored")) | JSON,
    },
    optional={
        "test": st.booleans() | JSON,
        "observed_at": st.datetimes().map(lambda d: d.isoformat() + "Z") | JSON,
        "values": st.dictionaries(ANY_TEXT, JSON, max_size=4) | JSON,
        "media": st.lists(st.fixed_dictionaries({"url": ANY_TEXT})) | JSON,
    },
)


def check(part: str, payload: bytes) -> Uplink | DecodeError:
    answer = decode(RawMessage(f"gengfu/v1/smoke-0001/up/{part}", payload, RECEIVED))
    if answer.event_id is not None:
        assert 0 < len(answer.event_id) <= 64
        answer.event_id.encode()
        assert answer.event_id.isprintable()
    if isinstance(answer, DecodeError):
        assert answer.reason is not DecodeReason.POISON, answer
        answer.detail.encode()
        return answer
    assert answer.readings
    for reading in answer.readings:
        assert reading.code is None or reading.code in TAXONOMY
        stored = json.dumps(dict(reading.values), allow_nan=False, ensure_ascii=False)
        assert "\\u0000" not in stored.replace("\\\\", "")
        stored.encode()
    assert answer.observed_at is None or answer.observed_at.tzinfo is UTC
    return answer


@given(st.sampled_from(PARTS), st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
@example("event", b'{"a":' * 900 + b"1" + b"}" * 900)
@example("event", b'{"x":' + b"[" * 700 + b"]" * 700 + b',"x":1}')
@example("event", b'{"event_id":"a","code":"fire.smoke","state":"raised","values":{"x":' + b"9" * 4400 + b"}}")
def test_any_bytes(part: str, payload: bytes) -> None:
    check(part, payload)


@given(st.sampled_from(PARTS), JSON | NEARLY_EVENT, st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_json(part: str, body: Any, escaped: bool) -> None:
    check(part, json.dumps(body, ensure_ascii=escaped).encode("utf-8", "surrogatepass"))


@given(st.integers(0, 200), st.binary(min_size=0, max_size=3), st.integers(0, 3))
@settings(max_examples=300, deadline=None)
def test_a_damaged_event(position: int, patch: bytes, cut: int) -> None:
    body = {"event_id": "b1-7", "code": "fire.smoke", "state": "raised", "values": {"temperature_c": 71.5}}
    whole = json.dumps(body).encode()
    check("event", whole[:position] + patch + whole[position + cut :])


@given(st.text(st.characters(), max_size=80), st.binary(max_size=80))
@settings(max_examples=200, deadline=None)
def test_any_topic(topic: str, payload: bytes) -> None:
    answer = decode(RawMessage(topic, payload, RECEIVED))
    assert not isinstance(answer, DecodeError) or answer.reason is not DecodeReason.POISON
