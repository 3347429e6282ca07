"""From a raw message to its meaning: MQTT, webhooks, command line and replay alike. Pure; never raises."""

from dataclasses import replace
from hashlib import blake2b

from msgspec.json import Encoder

from devices.codecs import TABLE as CODECS
from devices.codecs.base import CodecFault, Decoded, Frame
from devices.envelopes import TABLE as ENVELOPES
from devices.envelopes.base import Envelope, Sender
from devices.limits import payload_bytes_max
from devices.salvage import bytes_claim_fire, find_event_id
from devices.signals import DecodeError, DecodeReason, RawMessage, Reading, Source, Uplink

_PLAIN = Source()
_canonical = Encoder(order="deterministic").encode
_hash_bytes = 16


def decode(raw: RawMessage, source: Source = _PLAIN) -> Uplink | DecodeError:
    """What `raw` says, or why it cannot be read.

    The envelope of the source's dialect finds who speaks, the codec what is said. `Uplink.retained` is passed on
    as it came; what a retained event is worth is not decided here. An error names the device and the event as far
    as they can still be found, so that the device can be told to stop, and whether the message claims fire.
    """
    envelope = ENVELOPES.get(source.dialect)
    if envelope is None:
        return _refuse_unopened(raw, None, DecodeReason.UNKNOWN_DIALECT, f"no dialect {source.dialect[:64]!r}")
    if len(raw.payload) > payload_bytes_max:
        detail = f"{len(raw.payload)} bytes, at most {payload_bytes_max}"
        return _refuse_unopened(raw, envelope, DecodeReason.TOO_LARGE, detail)
    try:
        return _read(raw, source, envelope)
    except Exception as fault:  # noqa: BLE001 - a fault in one codec must not lose the messages beside this one
        return _refuse_unopened(raw, envelope, DecodeReason.POISON, f"{type(fault).__name__} in {source.dialect}")


def _read(raw: RawMessage, source: Source, envelope: Envelope) -> Uplink | DecodeError:
    frame = envelope.open(raw, source)
    if isinstance(frame, DecodeError):
        return frame
    decoded = CODECS[frame.codec].read(frame)
    if isinstance(decoded, CodecFault):
        claims = decoded.claims_fire
        if claims is None:
            claims = bytes_claim_fire(raw.payload)
        return DecodeError(decoded.reason, decoded.detail, frame.device_key, frame.event_id, claims)
    test = frame.test or decoded.test
    return Uplink(
        device_key=frame.device_key,
        dialect=frame.dialect,
        codec=frame.codec,
        readings=_with_notes(frame, decoded),
        event_id=frame.event_id,
        observed_at=frame.observed_at,
        test=test,
        retained=raw.retained,
        content_hash=_content_hash(decoded.readings, test) if frame.event_id is not None else "",
        answer=decoded.answer,
    )


def _with_notes(frame: Frame, decoded: Decoded) -> tuple[Reading, ...]:
    """The readings with the remarks among their values; a value of the device's own keeps its name."""
    if not frame.notes and not decoded.notes:
        return decoded.readings
    notes = {**frame.notes, **decoded.notes}
    return tuple(replace(reading, values={**notes, **reading.values}) for reading in decoded.readings)


def _content_hash(readings: tuple[Reading, ...], test: bool) -> str:
    """Hash of what the event means, not of how or when it was said: key order, clock and links do not count."""
    meaning = [(reading.signal.value, reading.code, reading.values) for reading in readings]
    return blake2b(_canonical((meaning, test)), digest_size=_hash_bytes).hexdigest()


def _refuse_unopened(raw: RawMessage, envelope: Envelope | None, reason: DecodeReason, detail: str) -> DecodeError:
    sender = envelope.whose(raw.topic) if envelope is not None else Sender(None, may_alarm=True)
    claims = sender.may_alarm and bytes_claim_fire(raw.payload)
    return DecodeError(reason, detail, sender.device_key, find_event_id(raw.payload), claims)
