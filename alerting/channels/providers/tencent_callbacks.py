"""What Tencent Cloud says later: receipts, keys, replies. None of it is signed: a secret in our address guards it.

Never touches a database. Source: "SMS Sending Status Notification", "SMS Reply", and of VMS the receipts of status, key
and failure. A call's callbacks name the call (`callid`) and nothing of ours: the inbox finds the attempt by
`form["provider_ref"]`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from alerting.channels import unsigned
from alerting.channels.base import (
    CallbackEvent,
    CallbackRequest,
    KeyPress,
    Receipt,
    ReceiptKind,
    Reply,
    Spoken,
    Stored,
)
from alerting.channels.http import decoded
from alerting.channels.providers.tencent_settings import TencentSettings
from alerting.channels.unsigned import KEYS, attempt_id_in, fits, hashed, reply_chars_max, text_of

kinds = ("sms", "voice", "up")
rows_max = 500
"""Tencent puts at most 100 reports into one callback."""
digits_max = 8

_taken = Spoken("application/json", '{"result":0,"errmsg":"OK"}')
_carrier_word = re.compile(r"[A-Za-z0-9:_-]{1,32}")
_moment_names = ("user_receive_time", "time", "end_calltime", "start_calltime")
_voice_events = {"voiceprompt_callback": "prompt", "voicekey_callback": "key", "voice_failure_callback": "failure"}
_prompt_words = {"1": ReceiptKind.NO_ANSWER, "2": ReceiptKind.FAILED}

_failures: Mapping[str, tuple[ReceiptKind, str]] = {
    "1": (ReceiptKind.NO_ANSWER, "phone_off"),
    "2": (ReceiptKind.BUSY, ""),
    "3": (ReceiptKind.NO_ANSWER, "not_in_service_area"),
    "4": (ReceiptKind.FAILED, "number_suspended"),
    "5": (ReceiptKind.NO_ANSWER, ""),
    "6": (ReceiptKind.NO_ANSWER, "not_reachable"),
    "7": (ReceiptKind.FAILED, "number_suspended"),
    "8": (ReceiptKind.FAILED, "number_unknown"),
    "9": (ReceiptKind.FAILED, "network_busy"),
    "10": (ReceiptKind.BUSY, ""),
    "12": (ReceiptKind.FAILED, "number_barred"),
    "13": (ReceiptKind.FAILED, "number_suspended"),
    "15": (ReceiptKind.FAILED, "number_unknown"),
    "16": (ReceiptKind.NO_ANSWER, "missed_call_service"),
    "17": (ReceiptKind.FAILED, "number_unknown"),
    "18": (ReceiptKind.FAILED, "network_busy"),
    "19": (ReceiptKind.FAILED, "number_barred"),
    "20": (ReceiptKind.NO_ANSWER, ""),
}
"""`failure_code` of VMS; the others are failures by their number."""


class TencentCallbacks:
    """`/callbacks/tencent/sms`, `/voice` and `/up`, each with `?key=SECRET`."""

    def __init__(self, settings: TencentSettings) -> None:
        self._key = settings.callback_key

    def verify(self, request: CallbackRequest, now: datetime) -> bool:
        """The secret fits, and the newest moment that it tells of is not older than a day."""
        return unsigned.believed(request, self._key, now, _moments)

    def read(self, request: CallbackRequest) -> Sequence[Stored]:
        """One row for each report, key or reply; what is no such thing is left out. LookupError for a strange kind."""
        if request.kind not in kinds:
            raise LookupError("no such kind")
        document = decoded(request.body)
        if request.kind == "voice":
            stored = list(_voice_rows(document))
        elif request.kind == "up":
            stored = list(_reply_rows(_rows(document)))
        else:
            stored = list(_receipt_rows(_rows(document)))
        if not stored:
            raise ValueError("nothing of Tencent's in it")
        return stored

    def answer(self, request: CallbackRequest) -> Spoken | None:
        """Anything else and Tencent sends it again, twice at most."""
        return _taken


def parse(kind: str, attempt_id: str | None, form: Mapping[str, Any]) -> list[CallbackEvent]:
    """A stored row as what happened. A row whose attempt nobody knows says nothing, but for a reply."""
    if kind == "up":
        address = text_of(form, "address")
        return [Reply(address, text_of(form, "text"), "")] if address else []
    if not attempt_id:
        return []
    if kind == "sms":
        return _receipt(
            attempt_id,
            text_of(form, "status"),
            text_of(form, "provider_ref"),
            text_of(form, "error"),
            text_of(form, "at"),
        )
    return _call_events(attempt_id, form) if kind == "voice" else []


def pulled(attempt_id: str, row: Mapping[str, Any]) -> list[CallbackEvent]:
    """A row of PullSmsSendStatusByPhoneNumber as what happened."""
    return _receipt(
        attempt_id,
        text_of(row, "ReportStatus"),
        text_of(row, "SerialNo"),
        text_of(row, "Description"),
        text_of(row, "UserReceiveTime"),
    )


def _receipt(attempt_id: str, status: str, reference: str, error: str, at: str) -> list[CallbackEvent]:
    if status == "SUCCESS":
        return [Receipt(attempt_id, ReceiptKind.DELIVERED, reference, at=_moment(at))]
    if status != "FAIL":
        return []
    word = error if _carrier_word.fullmatch(error) else "carrier"
    return [Receipt(attempt_id, ReceiptKind.FAILED, reference, word, _moment(at))]


def _call_events(attempt_id: str, form: Mapping[str, Any]) -> list[CallbackEvent]:
    reference, event = text_of(form, "provider_ref"), text_of(form, "event")
    if event == "key":
        digits = text_of(form, "keypress")
        if not digits or len(digits) > digits_max or not KEYS.issuperset(digits):
            return []
        return [Receipt(attempt_id, ReceiptKind.ANSWERED, reference), KeyPress(attempt_id, digits)]
    ended = _moment(text_of(form, "end_calltime"))
    if event == "failure":
        code = text_of(form, "failure_code")
        kind, error = _failures.get(code, (ReceiptKind.FAILED, f"failure_{code[:8]}"))
        return [Receipt(attempt_id, kind, reference, error, ended)]
    result = text_of(form, "result")
    if event == "prompt" and result == "0":
        accepted = _moment(text_of(form, "accept_time"))
        return [
            Receipt(attempt_id, ReceiptKind.ANSWERED, reference, at=accepted),
            Receipt(attempt_id, ReceiptKind.COMPLETED, reference, at=ended),
        ]
    kind_of_end = _prompt_words.get(result) if event == "prompt" else None
    return [] if kind_of_end is None else [Receipt(attempt_id, kind_of_end, reference, at=ended)]


def _rows(document: Any) -> list[Mapping[str, Any]]:
    """One object, or a list of them."""
    rows = document if isinstance(document, list) else [document]
    return unsigned.objects(rows, rows_max)


def _receipt_rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[Stored]:
    for row in rows:
        reference, status = text_of(row, "sid"), text_of(row, "report_status")
        if not fits(reference) or not status:
            continue
        form = {
            "provider_ref": reference,
            "status": status,
            "error": text_of(row, "errmsg"),
            "at": text_of(row, "user_receive_time"),
        }
        context = text_of(row, "ext")  # our SessionContext, where Tencent was asked to give it back
        yield Stored("sms", attempt_id_in(context), hashed("sms", reference, status), form)


def _voice_rows(document: Any) -> Iterator[Stored]:
    if not isinstance(document, dict):
        return
    for name, event in _voice_events.items():
        told = document.get(name)
        if not isinstance(told, dict) or not fits(text_of(told, "callid")):
            continue
        kept = ("result", "keypress", "failure_code", "accept_time", "end_calltime")
        form = {key: text_of(told, key)[:32] for key in kept if text_of(told, key)}
        reference = text_of(told, "callid")
        said = form.get("keypress", "") + form.get("result", "") + form.get("failure_code", "")
        form |= {"event": event, "provider_ref": reference}
        yield Stored("voice", None, hashed(event, reference, said), form)


def _reply_rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[Stored]:
    for row in rows:
        country, mobile = text_of(row, "nationcode").lstrip("+"), text_of(row, "mobile")
        text = text_of(row, "text").strip()[:reply_chars_max]
        if not text or not country.isdecimal() or not mobile.isdecimal() or len(country + mobile) > 15:
            continue
        address = f"+{country}{mobile}"
        dedupe = hashed("up", address, text_of(row, "time"), text)
        yield Stored("up", None, dedupe, {"address": address, "text": text})


def _moments(body: bytes) -> Iterator[datetime]:
    """Every moment that a callback tells of."""
    rows = _rows(decoded(body))
    inner = [told for row in rows for name in _voice_events if isinstance(told := row.get(name), dict)]
    return unsigned.moments_in((*rows, *inner), _moment_names, _moment)


def _moment(written: str) -> datetime | None:
    """Seconds since 1970, or China's wall clock; None for anything else."""
    if not written.isdecimal():
        return unsigned.china_moment(written)
    try:
        return datetime.fromtimestamp(int(written), UTC) if int(written) > 0 else None
    except (ValueError, OverflowError, OSError):
        return None
