"""What the witnesses of a story saw (devices, live stream, phones, apps) as steps. Pure; never waits or prints."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from devices.model import Channel, Language
from gengfu.demo.steps import Step, StepKind
from simulators.ledger import Fact, LedgerLine
from simulators.phone import PhoneEvent, PhoneEventKind
from simulators.worker_app import Shown

_DEVICE = {
    Fact.PUBLISHED: StepKind.PUBLISHED,
    Fact.RECEIPT: StepKind.DEVICE_RECEIPT,
    Fact.REFUSED: StepKind.REFUSED,
}
_PHONE = {
    PhoneEventKind.SMS_SHOWN: StepKind.SMS_SHOWN,
    PhoneEventKind.SMS_REPLIED: StepKind.SMS_REPLIED,
    PhoneEventKind.RINGING: StepKind.RINGING,
    PhoneEventKind.ANSWERED: StepKind.ANSWERED,
    PhoneEventKind.VOICEMAIL: StepKind.VOICEMAIL,
    PhoneEventKind.HEARD: StepKind.HEARD,
    PhoneEventKind.KEY_PRESSED: StepKind.KEY_PRESSED,
    PhoneEventKind.CALL_ENDED: StepKind.CALL_ENDED,
}
_BY_SMS = (PhoneEventKind.SMS_SHOWN, PhoneEventKind.SMS_REPLIED)
_APP = {"shown": StepKind.APP_SHOWN, "tapping": StepKind.APP_TAPPED}
_PROVIDER = {
    "provider_accepted": StepKind.PROVIDER_ACCEPTED,
    "busy": StepKind.PROVIDER_BUSY,
    "unknown": StepKind.PROVIDER_UNKNOWN,
    "rejected": StepKind.PROVIDER_REJECTED,
}


def of_device(line: LedgerLine) -> Step | None:
    """`text` is device, code and state."""
    kind = _DEVICE.get(line.fact)
    if kind is None:
        return None
    if kind is StepKind.PUBLISHED and line.attempt > 1:
        kind = StepKind.PUBLISHED_AGAIN
    return Step(kind=kind, ms=0.0, text=f"{line.device_id} {line.code} {line.state}", reason=line.reason)


def of_phone(event: PhoneEvent, recipient: str) -> Step:
    channel = Channel.SMS if event.kind in _BY_SMS else Channel.VOICE
    attempt = event.attempt or event.sid
    return Step(kind=_PHONE[event.kind], ms=0.0, recipient=recipient, channel=channel, text=event.text, attempt=attempt)


def of_app(what: str, shown: Shown, recipient: str) -> Step | None:
    kind = _APP.get(what)
    if kind is None:
        return None
    return Step(
        kind=kind,
        ms=0.0,
        incident=shown.incident_id,
        recipient=recipient,
        channel=Channel.APP,
        text=f"{shown.title}\n{shown.body}",
        purpose=shown.purpose,
        notification=shown.notification_id,
    )


def of_stream(chunk: bytes) -> Iterator[Mapping[str, Any]]:
    """The timeline entries in some frames of the live stream."""
    for frame in chunk.split(b"\n\n"):
        lines = frame.split(b"\n")
        if b"event: timeline" in lines:
            data = b"\n".join(line[6:] for line in lines if line.startswith(b"data: "))
            yield msgspec.json.decode(data, type=dict[str, Any])


def of_entry(
    entry: Mapping[str, Any], told_at: datetime, language: Language = Language.ZH_CN
) -> tuple[Step, datetime] | None:
    """A timeline entry as a step and its moment; None for entries that a phone or app tells better.

    Provider's answers have their own moment; a decision's is when it was told, because only then it is committed.
    """
    kind, data = entry["kind"], entry["data"]
    if kind in _PROVIDER:
        step = _of_attempt(_PROVIDER[kind], entry)
        return step, datetime.fromisoformat(entry["at"])
    match kind:
        case "opened":
            place = data["place"] if language is Language.ZH_CN else data["place_en"]
            made = _made(StepKind.COMMITTED, entry, text=f"{data['code']} {place}", policy=data["policy"])
        case "signal":
            made = _made(StepKind.REPEAT, entry, text=f"{data['device']} {data['code']} raised")
        case "condition":
            made = _made(StepKind.RESTORED, entry, text=data["condition"])
        case "step_skipped":
            made = _made(StepKind.STEP_SKIPPED, entry, text=entry["reason"], number=data["step"])
        case "planned":
            made = _of_plan(entry)
        case "work":
            taken = data["work"] == "taken"
            made = _made(StepKind.TAKEN if taken else StepKind.WORK, entry, text=data["work"], recipient=entry["actor"])
        case "note":
            made = _made(StepKind.NOTE, entry, text=data["text"], recipient=entry["actor"])
        case "command" | "command_done" | "command_failed" | "command_expired" | "command_refused":
            named = StepKind.COMMANDED if kind == "command" else StepKind(kind)
            made = _made(named, entry, text=f"{data['device']} {data['action']} {data.get('why', '')}")
        case _:
            return None
    return made, told_at


def _made(
    kind: StepKind,
    entry: Mapping[str, Any],
    *,
    text: str = "",
    recipient: str | None = None,
    number: int = 0,
    policy: str = "",
) -> Step:
    return Step(
        kind=kind,
        ms=0.0,
        incident=entry["incident_id"],
        recipient=recipient,
        text=text,
        reason=entry["reason"],
        number=number,
        reference=entry["data"].get("reference", ""),
        policy=policy,
    )


def _of_plan(entry: Mapping[str, Any]) -> Step:
    data = entry["data"]
    return Step(
        kind=StepKind.PLANNED,
        ms=0.0,
        incident=entry["incident_id"],
        recipient=data["recipient"],
        channel=Channel(data["channel"]),
        text=f"{data['purpose']} {entry['reason']}",
        purpose=data["purpose"],
        reason=entry["reason"],
        notification=data["notification"],
        number=data["step"],
    )


def _of_attempt(kind: StepKind, entry: Mapping[str, Any]) -> Step:
    data = entry["data"]
    return Step(
        kind=kind,
        ms=0.0,
        incident=entry["incident_id"],
        recipient=data["recipient"],
        channel=Channel(data["channel"]),
        text=entry["reason"] if entry["reason"] != entry["kind"] else "",
        reason=entry["reason"],
        notification=data["notification"],
        attempt=data["attempt"],
        number=data["number"],
    )
