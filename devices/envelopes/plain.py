"""The `plain` dialect, our own: `gengfu/v1/<device>/up/<part>`. Identity is the topic, never the body."""

import re
from datetime import UTC, datetime
from typing import Any

from devices.codecs.base import Frame
from devices.envelopes.base import Sender
from devices.limits import JsonFault, read_json
from devices.salvage import bytes_claim_fire, find_event_id, valid_event_id
from devices.signals import DecodeError, DecodeReason, RawMessage, Scalar, Source

DEVICE_ID = r"[A-Za-z0-9_-]{4,64}"
"""What a device may be called; the same pattern holds wherever devices are registered."""
_TOPIC = re.compile(rf"gengfu/v1/({DEVICE_ID})/up/(event|telemetry|heartbeat|status|command)")
_WHOSE = re.compile(rf"gengfu/v1/({DEVICE_ID})/(.*)", re.DOTALL)
_QUIET = frozenset({"up/telemetry", "up/heartbeat", "up/status", "up/command"})
_CODEC = "gengfu_plain"
_CLOCK_UNREADABLE: dict[str, Scalar] = {"clock": "unreadable"}
_NO_NOTES: dict[str, Scalar] = {}


class Plain:
    """Identity is the topic segment, which the broker ties to the device's own login."""

    dialect = "plain"

    def recognises(self, topic: str, payload: bytes) -> bool:
        return topic.startswith("gengfu/v1/")

    def whose(self, topic: str) -> Sender:
        found = _WHOSE.fullmatch(topic)
        return Sender(found[1], found[2] not in _QUIET) if found else Sender(None, may_alarm=True)

    def open(self, raw: RawMessage, source: Source) -> Frame | DecodeError:
        found = _TOPIC.fullmatch(raw.topic)
        if found is None:
            return DecodeError(
                DecodeReason.UNKNOWN_TOPIC,
                "not gengfu/v1/<device>/up/(event|telemetry|heartbeat|status|command)",
                self.whose(raw.topic).device_key,
                find_event_id(raw.payload),
                bytes_claim_fire(raw.payload),
            )
        device, part = found.groups()
        if part == "status":
            return _open_status(raw.payload, device)
        body = read_json(raw.payload)
        if isinstance(body, JsonFault):
            is_event = part == "event"
            return DecodeError(
                body.reason,
                body.detail,
                device,
                find_event_id(raw.payload) if is_event else None,
                is_event and bytes_claim_fire(raw.payload),
            )
        if part == "event":
            return _open_event(raw.payload, body, device)
        return Frame(device, Plain.dialect, _CODEC, part, body)


def _open_status(payload: bytes, device: str) -> Frame | DecodeError:
    """`online` and `offline` come as bare text or as a JSON string."""
    try:
        word = payload.decode("utf-8").strip()
    except UnicodeDecodeError as fault:
        return DecodeError(DecodeReason.NOT_UTF8, f"byte {fault.start} is not UTF-8", device)
    if len(word) > 1 and word[0] == word[-1] == '"':
        word = word[1:-1]
    return Frame(device, Plain.dialect, _CODEC, "status", word.lower())


def _open_event(payload: bytes, body: Any, device: str) -> Frame | DecodeError:
    if not isinstance(body, dict):
        return _misshapen(payload, body, device, "an event is a JSON object")
    event_id = valid_event_id(body.get("event_id"))
    if event_id is None:
        return _misshapen(payload, body, device, "event_id is not a text of 1 to 64 printable characters")
    test = body.get("test", False)
    if not isinstance(test, bool):
        return _misshapen(payload, body, device, "test is neither true nor false")
    observed_at = None
    notes = _NO_NOTES
    if body.get("observed_at") is not None:
        observed_at = _instant(body["observed_at"])
        notes = _CLOCK_UNREADABLE if observed_at is None else _NO_NOTES
    return Frame(device, Plain.dialect, _CODEC, "event", body, event_id, observed_at, test, notes)


def _misshapen(payload: bytes, body: Any, device: str, detail: str) -> DecodeError:
    """An event that names itself restored claims no fire; every other is judged by its bytes."""
    ended = isinstance(body, dict) and body.get("state") == "restored"
    event_id = valid_event_id(body.get("event_id")) if isinstance(body, dict) else None
    claims = not ended and bytes_claim_fire(payload)
    return DecodeError(DecodeReason.WRONG_SHAPE, detail, device, event_id, claims)


def _instant(value: object) -> datetime | None:
    """An RFC 3339 instant in UTC, however wrong the clock; None without a zone or when it cannot be read."""
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(value.upper())
        return instant.astimezone(UTC) if instant.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
