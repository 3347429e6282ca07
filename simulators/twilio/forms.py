"""Create requests: reads Twilio's form fields and refuses what Twilio refuses, with its error codes.

Pure: keeps nothing and sends nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from devices.model import Channel
from simulators.twilio import twiml
from simulators.twilio.store import Callback, attempt_of

body_chars_max = 1_600
twiml_chars_max = 4_000
ring_s_max = 600
validity_s_max = 36_000
call_events = frozenset({"initiated", "ringing", "answered", "completed"})
_e164 = re.compile(r"\+[1-9]\d{6,14}")
_sender = re.compile(r"\+[1-9]\d{6,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")

error_texts: Mapping[int, str] = {
    20001: "Invalid parameter",
    20003: "Authenticate",
    20004: "Method not allowed",
    20404: "The requested resource was not found",
    20429: "Too Many Requests",
    20500: "An internal server error has occurred",
    21201: "No 'To' number is specified",
    21205: "Url parameter is required and must be a valid URL",
    21210: "The source phone number provided is not yet verified for your account",
    21211: "Invalid 'To' Phone Number",
    21212: "Invalid 'From' Number",
    21213: "No 'From' number is specified",
    21220: "Invalid call state",
    21602: "Message body is required",
    21603: "A 'From' phone number is required",
    21604: "A 'To' phone number is required",
    21606: "The 'From' phone number provided is not a valid message-capable Twilio phone number",
    21609: "Invalid 'StatusCallback' URL",
    21610: "Attempt to send to unsubscribed recipient",
    21612: "The 'To' phone number is not currently reachable using the 'From' phone number",
    21614: "'To' number is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit",
    21626: "Invalid 'StatusCallbackEvent'",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer."""

    code: int
    status: int = 400
    detail: str = ""

    @property
    def message(self) -> str:
        """Twilio's words for the code."""
        text = error_texts.get(self.code, "Request refused")
        return f"{text}: {self.detail}" if self.detail else text


Form = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Order:
    """A create request that can be carried out."""

    channel: Channel
    to: str
    sender: str
    body: str
    service_sid: str | None
    url: str | None
    method: str
    twiml: str | None
    callback: Callback | None
    attempt: str | None
    seconds: int  # SMS: ValidityPeriod; voice: Timeout
    time_limit_s: int


class _Refused(Exception):
    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(code)
        self.refusal = Refusal(code, detail=detail)


def first(form: Form, name: str) -> str | None:
    """A field's first value; None when absent or empty."""
    values = form.get(name)
    return values[0] or None if values else None


def text_of(channel: Channel, form: Form) -> str:
    """What the request would let a person read or hear, for the ledger."""
    if channel is Channel.SMS:
        return first(form, "Body") or ""
    document = first(form, "Twiml")
    if document is None or first(form, "Url"):
        return first(form, "Url") or ""
    try:
        return twiml.spoken(document)
    except twiml.TwimlError:
        return document


def attempt_in(form: Form) -> str | None:
    """The customer's attempt id, from the callback address or else from the document's."""
    return attempt_of(first(form, "StatusCallback"), first(form, "Url"))


def read_order(channel: Channel, form: Form, numbers: frozenset[str] | None) -> Order | Refusal:
    """Check a create request in Twilio's order: recipient, sender, content, the rest.

    numbers: the account's own numbers; None = any well-formed sender may be used.
    """
    try:
        return _message(form, numbers) if channel is Channel.SMS else _call(form, numbers)
    except _Refused as refused:
        return refused.refusal


def _message(form: Form, numbers: frozenset[str] | None) -> Order:
    to = _recipient(form, missing=21604)
    service = first(form, "MessagingServiceSid")
    sender = first(form, "From") or ""
    if not sender and service is None:
        raise _Refused(21603)
    if sender:
        _check_sender(sender, numbers, foreign=21606)
    body = first(form, "Body")
    if body is None:
        raise _Refused(21602)
    if len(body) > body_chars_max:
        raise _Refused(21617)
    callback = _callback(form)
    validity_s = _whole(form, "ValidityPeriod", validity_s_max, validity_s_max)
    attempt = attempt_in(form)
    return Order(Channel.SMS, to, sender, body, service, None, "POST", None, callback, attempt, validity_s, 0)


def _call(form: Form, numbers: frozenset[str] | None) -> Order:
    to = _recipient(form, missing=21201)
    sender = first(form, "From")
    if sender is None:
        raise _Refused(21213)
    _check_sender(sender, numbers, foreign=21210)
    url, document = first(form, "Url"), first(form, "Twiml")
    if url is None and document is None:
        raise _Refused(21205)
    if url is not None and not _is_url(url):
        raise _Refused(21205, url)
    if document is not None and len(document) > twiml_chars_max:
        raise _Refused(20001, f"Twiml is longer than {twiml_chars_max} characters")
    ring_s = _whole(form, "Timeout", 60, ring_s_max)
    limit_s = _whole(form, "TimeLimit", 14_400, 86_400)
    method = _method(form, "Method")
    inline = document if url is None else None  # both given: Url wins
    callback, attempt = _callback(form), attempt_in(form)
    return Order(Channel.VOICE, to, sender, "", None, url, method, inline, callback, attempt, ring_s, limit_s)


def _recipient(form: Form, *, missing: int) -> str:
    to = first(form, "To")
    if to is None:
        raise _Refused(missing)
    if _e164.fullmatch(to) is None:
        raise _Refused(21211, to)
    return to


def _check_sender(sender: str, numbers: frozenset[str] | None, *, foreign: int) -> None:
    if _sender.fullmatch(sender) is None:
        raise _Refused(21212, sender)
    if numbers is not None and sender not in numbers:
        raise _Refused(foreign, sender)


def _callback(form: Form) -> Callback | None:
    url = first(form, "StatusCallback")
    if url is None:
        return None
    if not _is_url(url):
        raise _Refused(21609, url)
    events = frozenset(form.get("StatusCallbackEvent", ["completed"]))
    if unknown := events - call_events:
        raise _Refused(21626, ", ".join(sorted(unknown)))
    return Callback(url, _method(form, "StatusCallbackMethod"), events)


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and url.isascii() and " " not in url


def _method(form: Form, name: str) -> str:
    method = (first(form, name) or "POST").upper()
    if method not in ("GET", "POST"):
        raise _Refused(20001, f"{name}={method}")
    return method


def _whole(form: Form, name: str, default: int, largest: int) -> int:
    value = first(form, name)
    if value is None:
        return default
    if not value.isascii() or not value.isdigit() or not 1 <= int(value[:9]) <= largest:
        raise _Refused(20001, f"{name}={value}")
    return int(value)
