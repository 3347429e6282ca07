"""What Alibaba Cloud says later: receipts, keys, replies. None of it is signed: a secret in our address guards it.

Never touches a database. Sources: SmsReport and SmsUp of SMS, VoiceReport and VoiceCallReport of voice, all as "HTTP
batch push": JSON lists that may repeat. `out_id` is our attempt's id.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
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
from alerting.channels.providers import aliyun_calls
from alerting.channels.providers.aliyun_settings import AliyunSettings
from alerting.channels.unsigned import KEYS, attempt_id_in, china_moment, fits, hashed, reply_chars_max, text_of

kinds = ("sms", "voice", "up")
rows_max = 1_000
sent_waiting, sent_failed, sent_delivered = 1, 2, 3
"""`SendStatus` of QuerySendDetails."""

_taken = Spoken("application/json", '{"code":0,"msg":"接收成功"}')
_carrier_word = re.compile(r"[A-Za-z0-9:_.-]{1,48}")
_national = re.compile(r"1[0-9]{10}")
_moment_names = ("report_time", "status_time", "end_time", "send_time")


class AliyunCallbacks:
    """`/callbacks/aliyun/sms`, `/voice` and `/up`, each with `?key=SECRET`."""

    def __init__(self, settings: AliyunSettings) -> None:
        self._key = settings.callback_key

    def verify(self, request: CallbackRequest, now: datetime) -> bool:
        """The secret fits, and the newest moment that it tells of is not older than a day."""
        return unsigned.believed(request, self._key, now, _moments)

    def read(self, request: CallbackRequest) -> Sequence[Stored]:
        """One row for each receipt, key or reply; what is no such thing is left out, as in the console's test push."""
        rows = _rows(request.body)
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
        address = text_of(form, "address")
        return [Reply(address, text_of(form, "text"), text_of(form, "id"))] if address else []
    if not attempt_id:
        return []
    reference, at = text_of(form, "provider_ref"), china_moment(text_of(form, "at"))
    if kind == "sms":
        return _receipt(attempt_id, reference, text_of(form, "success"), text_of(form, "error"), at)
    if kind != "voice":
        return []
    digits = text_of(form, "key")
    if digits:
        return [Receipt(attempt_id, ReceiptKind.ANSWERED, reference, at=at), KeyPress(attempt_id, digits)]
    return [*aliyun_calls.events(attempt_id, reference, text_of(form, "status"), form.get("final") is True, at)]


def listed(attempt_id: str, reference: str, row: Mapping[str, Any]) -> list[CallbackEvent]:
    """A row of QuerySendDetails as what happened."""
    success = {sent_failed: "false", sent_delivered: "true"}.get(row.get("SendStatus", 0), "")
    return _receipt(attempt_id, reference, success, text_of(row, "ErrCode"), china_moment(text_of(row, "ReceiveDate")))


def recorded(attempt_id: str, reference: str, record: Mapping[str, Any]) -> list[CallbackEvent]:
    """The record of a call, from QueryCallDetailByCallId, as what happened; one without an end says nothing."""
    ended = china_moment(text_of(record, "endDate"))
    return [*aliyun_calls.events(attempt_id, reference, text_of(record, "state"), ended is not None, ended)]


def _receipt(attempt_id: str, reference: str, success: str, error: str, at: datetime | None) -> list[CallbackEvent]:
    if success == "true":
        return [Receipt(attempt_id, ReceiptKind.DELIVERED, reference, at=at)]
    if success != "false":
        return []
    word = error if _carrier_word.fullmatch(error) else "carrier"
    return [Receipt(attempt_id, ReceiptKind.FAILED, reference, word, at)]


def _rows(body: bytes) -> list[Mapping[str, Any]]:
    document = decoded(body)
    if not isinstance(document, list):
        raise ValueError("no list of reports")
    return unsigned.objects(document, rows_max)


def _moments(body: bytes) -> Iterator[datetime]:
    return unsigned.moments_in(_rows(body), _moment_names, china_moment)


def _sms_rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[Stored]:
    for row in rows:
        reference, success = text_of(row, "biz_id"), row.get("success")
        if not fits(reference) or not isinstance(success, bool):
            continue
        word = "true" if success else "false"
        form = {
            "provider_ref": reference,
            "success": word,
            "error": text_of(row, "err_code")[:48],
            "at": text_of(row, "report_time")[:32],
        }
        yield Stored("sms", _attempt(row), hashed("sms", reference, text_of(row, "phone_number"), word), form)


def _voice_rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[Stored]:
    """A key and a state are two words: a key told during the call comes again in the report at its end."""
    for row in rows:
        reference, status = text_of(row, "call_id"), text_of(row, "status_code")[:32]
        if not fits(reference):
            continue
        at = (text_of(row, "status_time") or text_of(row, "end_time"))[:32]
        key = _last_key(text_of(row, "dtmf"))
        if key:
            form = {"provider_ref": reference, "key": key, "at": at}
            yield Stored("voice", _attempt(row), hashed("key", reference, key), form)
        if status and status != aliyun_calls.status_key:
            final = "duration" in row or "end_time" in row
            told: dict[str, Any] = {"provider_ref": reference, "status": status, "final": final, "at": at}
            yield Stored("voice", _attempt(row), hashed("state", reference, status, str(final)), told)


def _reply_rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[Stored]:
    for row in rows:
        number, text = text_of(row, "phone_number").removeprefix("+86"), text_of(row, "content")[:reply_chars_max]
        if not _national.fullmatch(number):
            continue
        sequence = text_of(row, "sequence_id")[:64]
        form = {"address": f"+86{number}", "text": text, "id": sequence}
        yield Stored("up", None, hashed("up", number, sequence or f"{text_of(row, 'send_time')}|{text}"), form)


def _attempt(row: Mapping[str, Any]) -> str | None:
    return attempt_id_in(text_of(row, "out_id"))


def _last_key(dtmf: str) -> str:
    """The report at the end strings all keys together; the last one is what the person meant."""
    return dtmf[-1] if dtmf and len(dtmf) <= 32 and KEYS.issuperset(dtmf) else ""
