"""Our own message bodies: event, telemetry, heartbeat, status, command. Never looks at topics or identities."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, ValidationError, convert

from devices.codecs.base import CodecFault, Decoded, Frame
from devices.limits import integer_abs_max
from devices.salvage import code_claims_fire
from devices.signals import CommandAnswer, DecodeReason, Reading, Scalar, SignalKind
from devices.taxonomy import TAXONOMY, SignalClass

_Integer = Annotated[int, Meta(ge=-integer_abs_max, le=integer_abs_max)]
_Values = dict[str, str | _Integer | float | bool | None]
_Percent = Annotated[int, Meta(ge=0, le=100)] | Annotated[float, Meta(ge=0, le=100)]
_Name = Annotated[str, Meta(min_length=1, max_length=64)]
_Url = Annotated[str, Meta(min_length=1, max_length=2048)]


class _Media(Struct):
    url: _Url


class _Event(Struct):
    code: str
    state: Literal["raised", "restored"]
    values: _Values = {}
    media: list[_Media] = []


class _Telemetry(Struct):
    values: _Values = {}
    battery: _Percent | None = None
    rssi: _Integer | float | None = None


class _CommandAnswer(Struct):
    command_id: _Name
    result: Literal["done", "failed"]
    reason: str = ""
    values: _Values = {}
    detail: str = ""


_BY_CLASS = {
    SignalClass.A: SignalKind.ALARM,
    SignalClass.S: SignalKind.SUPERVISORY,
    SignalClass.T: SignalKind.TROUBLE,
}
_RAISED = {
    **{code: _BY_CLASS.get(hazard.cls, SignalKind.TELEMETRY) for code, hazard in TAXONOMY.items()},
    "device.test": SignalKind.TEST,
    "device.restore": SignalKind.RESTORAL,
    "device.heartbeat": SignalKind.HEARTBEAT,
}
"""`device.restore` is the device's word that all is well again, without naming the condition it ends."""

_STATUS = {
    "online": Reading(SignalKind.HEARTBEAT),
    "offline": Reading(SignalKind.TROUBLE, "device.offline"),
}


class GengfuPlain:
    """Bodies as the contract page defines them; unknown keys are ignored, known ones must have their type.

    `part` is `event`, `telemetry`, `heartbeat`, `command` (body: parsed JSON) or `status` (body: text).
    An answer to a command is telemetry with `command_id`, `result`, `detail` (why not) and the device's values.
    `battery` (percent) and `rssi` (dBm) of telemetry stand among its values. The first media address is noted as
    `media_url`.
    """

    name = "gengfu_plain"

    def read(self, frame: Frame) -> Decoded | CodecFault:
        if frame.part == "status":
            return _read_status(frame.body)
        try:
            if frame.part == "event":
                return _read_event(frame.body)
            if frame.part == "command":
                return _read_command(frame.body)
            return _read_telemetry(frame.body, heartbeat=frame.part == "heartbeat")
        except ValidationError as fault:
            claims = _claims(frame.body) if frame.part == "event" else False
            return CodecFault(DecodeReason.WRONG_SHAPE, str(fault), claims)


def _read_event(body: object) -> Decoded | CodecFault:
    event = convert(body, _Event)
    raised = _RAISED.get(event.code)
    if raised is None:
        return CodecFault(DecodeReason.UNKNOWN_CODE, f"unknown code {event.code[:64]!r}", _claims(body))
    restored = event.state == "restored" and raised is not SignalKind.HEARTBEAT
    reading = Reading(SignalKind.RESTORAL if restored else raised, event.code, event.values)
    notes: dict[str, Scalar] = {"media_url": event.media[0].url} if event.media else {}
    return Decoded((reading,), notes=notes)


def _claims(body: Any) -> bool | None:
    """Whether an event that cannot be read speaks of fire; its own restoral does not."""
    if not isinstance(body, dict) or not isinstance(body.get("code"), str):
        return None
    return body.get("state") != "restored" and code_claims_fire(body["code"])


def _read_telemetry(body: object, heartbeat: bool) -> Decoded:
    telemetry = convert(body, _Telemetry)
    values: dict[str, Scalar] = dict(telemetry.values)
    if telemetry.battery is not None:
        values["battery"] = telemetry.battery
    if telemetry.rssi is not None:
        values["rssi"] = telemetry.rssi
    kind = SignalKind.HEARTBEAT if heartbeat else SignalKind.TELEMETRY
    return Decoded((Reading(kind, None, values),))


def _read_command(body: object) -> Decoded:
    answer = convert(body, _CommandAnswer)
    why = answer.reason or answer.detail
    values: dict[str, Scalar] = {
        **answer.values,
        "command_id": answer.command_id,
        "result": answer.result,
        "detail": why,
    }
    told = CommandAnswer(answer.command_id, answer.result == "done", why, answer.values)
    return Decoded((Reading(SignalKind.TELEMETRY, None, values),), answer=told)


def _read_status(body: object) -> Decoded | CodecFault:
    reading = _STATUS.get(body) if isinstance(body, str) else None
    if reading is None:
        return CodecFault(DecodeReason.WRONG_SHAPE, "status is neither online nor offline", claims_fire=False)
    return Decoded((reading,))
