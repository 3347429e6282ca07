"""What Tencent Cloud says later: receipts, keys, replies. None of it is signed: a secret in our address guards it.

Never touches a database. Source: "SMS Sending Status Notification", "SMS Reply", and of VMS the receipts of status, key
and failure. A call's callbacks name the call (`callid`) and nothing of ours: the inbox finds the attempt by
`form["provider_ref"]`.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

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
from alerting.channels.providers.tencent_settings import TencentSettings

kinds = ("sms", "voice", "up")
stale_after = timedelta(days=1)
rows_max = 500
"""Tencent puts at most 100 reports into one callback."""
reference_chars_max = 128
digits_max = 8
reply_chars_max = 500

_taken = Spoken("application/json", '{"result":0,"errmsg":"OK"}')
_china = timezone(timedelta(hours=8))
_attempt_id = re.compile(r"[a-z2-7]{13}")
_keys = frozenset("0123456789*#")
_carrier_word = re.compile(r"[A-Za-z0-9:_-]{1,32}")
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
        self._key = settings.callback_key.encode()

    def verify(self, request: CallbackRequest, now: datetime) -> bool:
        """The secret fits, and the newest moment that it tells of is not older than a day."""
        if request.method != "POST" or not hmac.compare_digest(request.query.get("key", "").encode(), self._key):
            return False
        try:
            moments = list(_moments(_document(request)))
        except ValueError:
            return True  # `read` refuses it
        return not moments or max(moments) > now - stale_after

    def read(self, request: CallbackRequest) -> Sequence[Stored]:
        """One row for each report, key or reply; what is no such thing is left out. LookupError for a strange kind."""
        if request.kind not in kinds:
            raise LookupError("no such kind")
        document = _document(request)
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
        address = _text(form, "address")
        return [Reply(address, _text(form, "text"), "")] if address else []
    if not attempt_id:
        return []
    if kind == "sms":
        return _receipt(
            attempt_id, _text(form, "status"), _text(form, "provider_ref"), _text(form, "error"), _text(form, "at")
        )
    return _call_events(attempt_id, form) if kind == "voice" else []


def pulled(attempt_id: str, row: Mapping[str, Any]) -> list[CallbackEvent]:
    """A row of PullSmsSendStatusByPhoneNumber as what happened."""
    return _receipt(
        attempt_id,
        _text(row, "ReportStatus"),
        _text(row, "SerialNo"),
        _text(row, "Description"),
        _text(row, "UserReceiveTime"),
    )


def _receipt(attempt_id: str, status: str, reference: str, error: str, at: str) -> list[CallbackEvent]:
    if status == "SUCCESS":
        return [Receipt(attempt_id, ReceiptKind.DELIVERED, reference, at=_moment(at))]
    if status != "FAIL":
        return []
    word = error if _carrier_word.fullmatch(error) else "carrier"
    return [Receipt(attempt_id, ReceiptKind.FAILED, reference, word, _moment(at))]


def _call_events(attempt_id: str, form: Mapping[str, Any]) -> list[CallbackEvent]:
    reference, event = _text(form, "provider_ref"), _text(form, "event")
    if event == "key":
        digits = _text(form, "keypress")
        if not digits or len(digits) > digits_max or not _keys.issuperset(digits):
            return []
        return [Receipt(attempt_id, ReceiptKind.ANSWERED, reference), KeyPress(attempt_id, digits)]
    ended = _moment(_text(form, "end_calltime"))
    if event == "failure":
        code = _text(form, "failure_code")
        kind, error = _failures.get(code, (ReceiptKind.FAILED, f"failure_{code[:8]}"))
        return [Receipt(attempt_id, kind, reference, error, ended)]
    result = _text(form, "result")
    if event == "prompt" and result == "0":
        accepted = _moment(_text(form, "accept_time"))
        return [
            Receipt(attempt_id, ReceiptKind.ANSWERED, reference, at=accepted),
            Receipt(attempt_id, ReceiptKind.COMPLETED, reference, at=ended),
        ]
    kind_of_end = _prompt_words.get(result) if event == "prompt" else None
    return [] if kind_of_end is None else [Receipt(attempt_id, kind_of_end, reference, at=ended)]


def _document(request: CallbackRequest) -> Any:
    try:
        return json.loads(request.body)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _rows(document: Any) -> list[Mapping[str, Any]]:
    """One object, or a list of them."""
    rows = document if isinstance(document, list) else [document]
    if len(rows) > rows_max:
        raise ValueError("too many reports")
    return [row for row in rows if isinstance(row, dict)]


def _receipt_rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[Stored]:
    for row in rows:
        reference, status = _text(row, "sid"), _text(row, "report_status")
        if not _fits(reference) or not status:
            continue
        form = {
            "provider_ref": reference,
            "status": status,
            "error": _text(row, "errmsg"),
            "at": _text(row, "user_receive_time"),
        }
        context = _text(row, "ext")  # our SessionContext, where Tencent was asked to give it back
        attempt_id = context if _attempt_id.fullmatch(context) else None
        yield Stored("sms", attempt_id, _dedupe("sms", reference, status), form)


def _voice_rows(document: Any) -> Iterator[Stored]:
    if not isinstance(document, dict):
        return
    for name, event in _voice_events.items():
        told = document.get(name)
        if not isinstance(told, dict) or not _fits(_text(told, "callid")):
            continue
        kept = ("result", "keypress", "failure_code", "accept_time", "end_calltime")
        form = {key: _text(told, key)[:32] for key in kept if _text(told, key)}
        reference = _text(told, "callid")
        said = form.get("keypress", "") + form.get("result", "") + form.get("failure_code", "")
        form |= {"event": event, "provider_ref": reference}
        yield Stored("voice", None, _dedupe(event, reference, said), form)


def _reply_rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[Stored]:
    for row in rows:
        country, mobile = _text(row, "nationcode").lstrip("+"), _text(row, "mobile")
        text = _text(row, "text").strip()[:reply_chars_max]
        if not text or not country.isdecimal() or not mobile.isdecimal() or len(country + mobile) > 15:
            continue
        address = f"+{country}{mobile}"
        dedupe = _dedupe("up", address, _text(row, "time"), text)
        yield Stored("up", None, dedupe, {"address": address, "text": text})


def _moments(document: Any) -> Iterator[datetime]:
    """Every moment that a callback tells of."""
    for row in _rows(document):
        inner = [told for name in _voice_events if isinstance(told := row.get(name), dict)]
        for told in (row, *inner):
            for name in ("user_receive_time", "time", "end_calltime", "start_calltime"):
                moment = _moment(_text(told, name))
                if moment is not None:
                    yield moment


def _moment(text: str) -> datetime | None:
    """Seconds since 1970, or China's wall clock; None for anything else."""
    try:
        if text.isdecimal():
            return datetime.fromtimestamp(int(text), UTC) if int(text) > 0 else None
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=_china).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _fits(reference: str) -> bool:
    return 0 < len(reference) <= reference_chars_max


def _dedupe(*said: str) -> str:
    """Hashed: it may hold a number."""
    return hashlib.sha256("\x00".join(said).encode()).hexdigest()


def _text(form: Mapping[str, Any], name: str) -> str:
    """Numbers are taken too: Tencent writes some fields either way."""
    value = form.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""
