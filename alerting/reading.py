"""From a prepared message to what the deciding transaction needs: event row, signals, quarantine row. Never decides."""

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b

from alerting.core.canary import CANARY_DEVICE, CANARY_TOPIC
from alerting.core.fold import SignalIn
from alerting.core.walk_test import signal_dbm
from alerting.ports import Ids
from alerting.store.events import EventRow
from alerting.verdicts import DeviceReceipt, Prepared, Urgency
from devices.signals import DecodeError, RawMessage, SignalKind, Uplink
from devices.store.quarantine import QuarantineRow
from devices.taxonomy import TAXONOMY, UNKNOWN_FIRE

payload_kept_bytes_max = 4096

_HEARD = (SignalKind.ALARM, SignalKind.SUPERVISORY, SignalKind.TROUBLE, SignalKind.RESTORAL, SignalKind.TEST)


@dataclass(frozen=True, slots=True)
class Input:
    raw: RawMessage
    device_id: str
    event_id: str | None
    event: EventRow | None
    signals: tuple[SignalIn, ...]
    quarantined: QuarantineRow | None = None
    canary_at: datetime | None = None
    """It is a canary, published then: no alarm at all."""

    def with_id_reused(self) -> "Input":
        """Its event id was used before, with other content."""
        return replace(self, signals=tuple(replace(signal, reused=True) for signal in self.signals))

    def receipt(self, now: datetime) -> DeviceReceipt | None:
        return DeviceReceipt(self.device_id, self.event_id, now) if self.event_id else None

    def refused(self, reason: str, now: datetime) -> DeviceReceipt | None:
        return DeviceReceipt(self.device_id, self.event_id, now, reason) if self.event_id else None

    def as_quarantined(self, reason: str, detail: str) -> QuarantineRow:
        return _row(self.raw, self.device_id, reason, detail)


def urgency(uplink: Uplink | DecodeError) -> Urgency:
    """Fire and gas and other life safety first, then alarms, then the rest."""
    if isinstance(uplink, DecodeError):
        return Urgency.FIRE if uplink.claims_fire else Urgency.OTHER
    if uplink.event_id is None:
        return Urgency.BACKGROUND if uplink.answer is None else Urgency.ALARM
    best = Urgency.OTHER
    for reading in uplink.readings:
        if reading.signal is SignalKind.ALARM and reading.code is not None:
            best = min(best, Urgency.FIRE if TAXONOMY[reading.code].life_safety else Urgency.ALARM)
    return best


def read(prepared: Prepared, ids: Ids) -> Input:
    """What the transaction needs of one message."""
    uplink = prepared.uplink
    if isinstance(uplink, DecodeError):
        return _unread(prepared.raw, uplink, ids)
    assert uplink.event_id is not None
    raw = prepared.raw
    if raw.topic == CANARY_TOPIC:
        sent_at = uplink.observed_at or raw.received_at
        return Input(raw, CANARY_DEVICE, uplink.event_id, None, (), canary_at=sent_at)
    heard = [reading for reading in uplink.readings if reading.signal in _HEARD and reading.code is not None]
    signals = tuple(
        SignalIn(
            device_id=uplink.device_key,
            kind=reading.signal,
            code=reading.code or UNKNOWN_FIRE,
            received_at=raw.received_at,
            observed_at=uplink.observed_at,
            test=uplink.test,
            fresh_id=ids.uuid7(),
            fresh_reference=ids.reference(),
            signal_dbm=signal_dbm(reading.values),
        )
        for reading in heard
    )
    first = uplink.readings[0] if uplink.readings else None
    event = EventRow(
        device_id=uplink.device_key,
        event_id=uplink.event_id,
        content_hash=uplink.content_hash,
        code=first.code if first else None,
        signal=first.signal.value if first else SignalKind.TELEMETRY.value,
        values={key: value for reading in uplink.readings for key, value in reading.values.items()},
        observed_at=uplink.observed_at,
        received_at=raw.received_at,
        test=uplink.test,
    )
    return Input(raw, uplink.device_key, uplink.event_id, event, signals)


def _unread(raw: RawMessage, error: DecodeError, ids: Ids) -> Input:
    device = error.device_key or "unknown"
    row = _row(raw, device, error.reason.value, error.detail)
    if not error.claims_fire:
        return Input(raw, device, error.event_id, None, (), row)
    signal = SignalIn(
        device_id=device,
        kind=SignalKind.ALARM,
        code=UNKNOWN_FIRE,
        received_at=raw.received_at,
        observed_at=None,
        test=False,
        fresh_id=ids.uuid7(),
        fresh_reference=ids.reference(),
        unread=True,
    )
    event = EventRow(
        device_id=device,
        event_id=error.event_id or f"unread:{row.content_hash[:32]}",
        content_hash=row.content_hash,
        code=UNKNOWN_FIRE,
        signal=SignalKind.ALARM.value,
        values={"unread": error.reason.value},
        observed_at=None,
        received_at=raw.received_at,
        test=False,
    )
    return Input(raw, device, error.event_id, event, (signal,), row)


def _row(raw: RawMessage, device: str, reason: str, detail: str) -> QuarantineRow:
    return QuarantineRow(
        topic=raw.topic[:512],
        device_key=device[:64],
        reason=reason,
        detail=detail[:500],
        content_hash=blake2b(raw.payload, digest_size=16).hexdigest(),
        payload=raw.payload[:payload_kept_bytes_max],
    )
