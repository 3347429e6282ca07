"""What Alibaba Cloud says later: receipts, keys, replies. None of it is signed: a secret in our address guards it.

Never touches a database. Sources: SmsReport and SmsUp of SMS, VoiceReport and VoiceCallReport of voice, all as "HTTP
batch push": JSON lists that may repeat. `out_id` is our attempt's id.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec

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
from alerting.channels.providers import aliyun_calls
from alerting.channels.providers.aliyun_settings import AliyunSettings

kinds = ("sms", "voice", "up")
stale_after = timedelta(days=1)
rows_max = 1_000
reference_chars_max = 128
reply_chars_max = 500
sent_waiting, sent_failed, sent_delivered = 1, 2, 3
"""`SendStatus` of QuerySendDetails."""

_taken = Spoken("application/json", '{"code":0,"msg":"接收成功"}')
_china = timezone(timedelta(hours=8))
_attempt_id = re.compile(r"[a-z2-7]{13}")
_keys = frozenset("0123456789*#")
_carrier_word = re.compile(r"[A-Za-z0-9:_.-]{1,48}")
_national = re.compile(r"1[0-9]{10}")
_usual_moment = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_moment_names = ("report_time", "status_time", "end_time", "send_time")


class AliyunCallbacks:
    """`/callbacks/aliyun/sms`, `/voice` and `/up`, each with `?key=SECRET`."""

    def __init__(self, settings: AliyunSettings) -> None:
        self._key = settings.callback_key.encode()

    def verify(self, request: CallbackRequest, now: datetime) -> bool:
        """The secret fits, and the newest moment that it tells of is not older than a day."""
        if request.method != "POST" or not hmac.compare_digest(request.query.get("key", "").encode(), self._key):
            return False
        try:
            moments = list(_moments(_rows(request)))
        except ValueError:
            return True  # `read` refuses it
        return not moments or max(moments) > now - stale_after

    def read(self, request: CallbackRequest) -> Sequence[Stored]:
        """One row for each receipt, key or reply; what is no such thing is left out, as in the console's test push."""
        rows = _rows(request)
        match request.kind:
            case "sms":
                return list(_sms_rows(rows))
            case "voice":
                return list(_voice_rows(rows))
            case "up":
                return list(_reply_rows(rows))
        raise LookupError("no such kind")

    def answer(self, request: CallbackRequest) -> Spoken | None:
        """Anything but 200 and Alibaba sends it again after 1, 5 and 10 minutes, then never."""
        return _taken


def parse(kind: str, attempt_id: str | None, form: Mapping[str, Any]) -> list[CallbackEvent]:
    """A stored row as what happened. A row whose attempt nobody knows says nothing, but for a reply."""
    if kind == "up":
        address = _text(form, "address")
        return [Reply(address, _text(form, "text"), _text(form, "id"))] if address else []
    if not attempt_id:
        return []
    reference, at = _text(form, "provider_ref"), _moment(_text(form, "at"))
    if kind == "sms":
        return _receipt(attempt_id, reference, _text(form, "success"), _text(form, "error"), at)
    if kind != "voice":
        return []
    digits = _text(form, "key")
    if digits:
        return [Receipt(attempt_id, ReceiptKind.ANSWERED, reference, at=at), KeyPress(attempt_id, digits)]
    return [*aliyun_calls.events(attempt_id, reference, _text(form, "status"), form.get("final") is True, at)]


def listed(attempt_id: str, reference: str, row: Mapping[str, Any]) -> list[CallbackEvent]:
    """A row of QuerySendDetails as what happened."""
    success = {sent_failed: "false", sent_delivered: "true"}.get(row.get("SendStatus", 0), "")
    return _receipt(attempt_id, reference, success, _text(row, "ErrCode"), _moment(_text(row, "ReceiveDate")))


def recorded(attempt_id: str, reference: str, record: Mapping[str, Any]) -> list[CallbackEvent]:
    """The record of a call, from QueryCallDetailByCallId, as what happened; one without an end says nothing."""
    ended = _moment(_text(record, "endDate"))
    return [*aliyun_calls.events(attempt_id, reference, _text(record, "state"), ended is not None, ended)]


def _receipt(attempt_id: str, reference: str, success: str, error: str, at: datetime | None) -> list[CallbackEvent]:
    if success == "true":
        return [Receipt(attempt_id, ReceiptKind.DELIVERED, reference, at=at)]
    if success != "false":
        return []
    word = error if _carrier_word.fullmatch(error) else "carrier"
    return [Receipt(attempt_id, ReceiptKind.FAILED, reference, word, at)]


def _rows(request: CallbackRequest) -> list[Mapping[str, Any]]:
    try:
        document = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, RecursionError):
        document = _otherwise(request.body)
    if not isinstance(document, list) or len(document) > rows_max:
        raise ValueError("no list of reports, or too long a one")
    return [row for row in document if isinstance(row, dict)]


def _otherwise(body: bytes) -> Any:
    """json reads a little more than msgspec."""
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _sms_rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[Stored]:
    for row in rows:
        reference, success = _text(row, "biz_id"), row.get("success")
        if not _fits(reference) or not isinstance(success, bool):
            continue
        word = "true" if success else "false"
        form = {
            "provider_ref": reference,
            "success": word,
            "error": _text(row, "err_code")[:48],
            "at": _text(row, "report_time")[:32],
        }
        yield Stored("sms", _attempt(row), _dedupe("sms", reference, _text(row, "phone_number"), word), form)


def _voice_rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[Stored]:
    """A key and a state are two words: a key told during the call comes again in the report at its end."""
    for row in rows:
        reference, status = _text(row, "call_id"), _text(row, "status_code")[:32]
        if not _fits(reference):
            continue
        at = (_text(row, "status_time") or _text(row, "end_time"))[:32]
        key = _last_key(_text(row, "dtmf"))
        if key:
            form = {"provider_ref": reference, "key": key, "at": at}
            yield Stored("voice", _attempt(row), _dedupe("key", reference, key), form)
        if status and status != aliyun_calls.status_key:
            final = "duration" in row or "end_time" in row
            told: dict[str, Any] = {"provider_ref": reference, "status": status, "final": final, "at": at}
            yield Stored("voice", _attempt(row), _dedupe("state", reference, status, str(final)), told)


def _reply_rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[Stored]:
    for row in rows:
        number, text = _text(row, "phone_number").removeprefix("+86"), _text(row, "content")[:reply_chars_max]
        if not _national.fullmatch(number):
            continue
        sequence = _text(row, "sequence_id")[:64]
        form = {"address": f"+86{number}", "text": text, "id": sequence}
        yield Stored("up", None, _dedupe("up", number, sequence or f"{_text(row, 'send_time')}|{text}"), form)


def _attempt(row: Mapping[str, Any]) -> str | None:
    """Ours, or None: then the inbox looks for the reference."""
    out_id = _text(row, "out_id")
    return out_id if _attempt_id.fullmatch(out_id) else None


def _last_key(dtmf: str) -> str:
    """The report at the end strings all keys together; the last one is what the person meant."""
    return dtmf[-1] if dtmf and len(dtmf) <= 32 and _keys.issuperset(dtmf) else ""


def _moments(rows: Iterable[Mapping[str, Any]]) -> Iterator[datetime]:
    for row in rows:
        for name in _moment_names:
            moment = _moment(_text(row, name))
            if moment is not None:
                yield moment


def _moment(text: str) -> datetime | None:
    """China's wall clock, as Alibaba writes it."""
    if not text:
        return None
    try:
        if _usual_moment.fullmatch(text):  # ten times as fast
            return datetime.fromisoformat(text).replace(tzinfo=_china).astimezone(UTC)
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=_china).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _fits(reference: str) -> bool:
    return 0 < len(reference) <= reference_chars_max


def _dedupe(*said: str) -> str:
    """Hashed: it may hold a number."""
    return hashlib.sha256("\x00".join(said).encode()).hexdigest()


def _text(form: Mapping[str, Any], name: str) -> str:
    value = form.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""
