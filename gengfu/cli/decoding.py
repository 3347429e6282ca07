"""Messages to JSON for people and scripts. Infers a dialect where none is named; never raises for what one says."""

import json
from typing import Any

import msgspec

from devices.decode import decode
from devices.envelopes import TABLE as DIALECTS
from devices.signals import RawMessage, Source, Uplink
from gengfu.clock import SystemClock

_NO_DEVICE = "____"
"""Stands for the device while a payload of our own dialect is read without its topic."""
_OWN = "plain"


def decode_payload(payload: bytes, topic: str = "", dialect: str | None = None) -> str:
    """One message's meaning as one line of JSON."""
    return _text(_meaning(payload, topic, dialect))


def decode_line(line: bytes, topic: str = "", dialect: str | None = None) -> str:
    """The same for a JSONL line; its own `source` and `topic` come before the given ones."""
    try:
        message = json.loads(line)
    except ValueError:
        return _text(_unread(dialect, "bad_line", "the line is not JSON"))
    if not isinstance(message, dict) or "payload" not in message:
        return _text(_unread(dialect, "bad_line", "the line is no object with a payload"))
    named_topic, named_source = message.get("topic") or topic, message.get("source") or dialect
    if not isinstance(named_topic, str) or not isinstance(named_source, str | None):
        return _text(_unread(dialect, "bad_line", "topic or source is not a text"))
    return _text(_meaning(_as_sent(message["payload"]), named_topic, named_source))


def _as_sent(payload: Any) -> bytes:
    """A text (XML, hex, base64 ...) as it was sent, anything else as JSON."""
    text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
    return text.encode("utf-8", errors="surrogatepass")


def _meaning(payload: bytes, topic: str, dialect: str | None) -> dict[str, Any]:
    dialect = dialect or _recognised(topic, payload) or _OWN
    if not topic and dialect == _OWN:
        topic = _own_topic(payload)
    result = decode(RawMessage(topic, payload, SystemClock().now()), Source(dialect, dialect))
    if isinstance(result, Uplink):
        return _read(result)
    meaning = _unread(dialect, result.reason, result.detail)
    meaning["device_key"] = _shown(result.device_key)
    meaning["event_id"] = result.event_id
    meaning["error"]["claims_fire"] = result.claims_fire
    return meaning


def _recognised(topic: str, payload: bytes) -> str | None:
    return next((name for name, envelope in DIALECTS.items() if envelope.recognises(topic, payload)), None)


def _own_topic(payload: bytes) -> str:
    """The topic that a payload of our own dialect was most likely sent on, by its shape."""
    part = "status" if payload.strip() in (b"online", b"offline") else "event"
    try:
        body = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        body = None
    if isinstance(body, dict) and not {"code", "event_id", "state"} & body.keys():
        part = "command" if "command_id" in body else "telemetry" if body else "heartbeat"
    return f"gengfu/v1/{_NO_DEVICE}/up/{part}"


def _read(uplink: Uplink) -> dict[str, Any]:
    return {
        "dialect": uplink.dialect,
        "codec": uplink.codec,
        "device_key": _shown(uplink.device_key),
        "event_id": uplink.event_id,
        "observed_at": None if uplink.observed_at is None else uplink.observed_at.isoformat(),
        "test": uplink.test,
        "readings": [
            {"signal": reading.signal.value, "code": reading.code, "values": dict(reading.values)}
            for reading in uplink.readings
        ],
        "error": None,
    }


def _unread(dialect: str | None, reason: str, detail: str) -> dict[str, Any]:
    return {
        "dialect": dialect,
        "codec": None,
        "device_key": None,
        "readings": [],
        "error": {"reason": str(reason), "detail": detail},
    }


def _shown(device_key: str | None) -> str | None:
    return None if device_key == _NO_DEVICE else device_key


def _text(meaning: dict[str, Any]) -> str:
    return json.dumps(meaning, ensure_ascii=False)
