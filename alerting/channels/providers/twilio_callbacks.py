"""What Twilio says later: addresses it is given, signatures it must bring, words it uses. Never touches a database.

Source: Twilio, "Track the Message Status", "Call Resource: StatusCallback", "Validating Requests".
"""

import base64
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from twilio.request_validator import RequestValidator, get_signature_algorithm

from alerting.channels.base import CallbackEvent, KeyPress, Receipt, ReceiptKind, Reply
from alerting.channels.providers.twilio_settings import TwilioSettings
from devices.model import Channel, Language

path_status = "/callbacks/twilio/status"
path_voice = "/callbacks/twilio/voice"
path_inbound = "/callbacks/twilio/inbound"
who_household = "household"
digits_max = 8
_keys = frozenset("0123456789*#")
_sip_unreachable = "480"

_message_words: Mapping[str, ReceiptKind] = {
    "accepted": ReceiptKind.PROVIDER_ACCEPTED,
    "queued": ReceiptKind.PROVIDER_ACCEPTED,
    "scheduled": ReceiptKind.PROVIDER_ACCEPTED,
    "sending": ReceiptKind.PROVIDER_ACCEPTED,
    "sent": ReceiptKind.SENT,
    "partially_delivered": ReceiptKind.SENT,
    "delivered": ReceiptKind.DELIVERED,
    "read": ReceiptKind.DELIVERED,
    "undelivered": ReceiptKind.FAILED,
    "failed": ReceiptKind.FAILED,
    "canceled": ReceiptKind.CANCELED,
}
_call_words: Mapping[str, ReceiptKind] = {
    "queued": ReceiptKind.PROVIDER_ACCEPTED,
    "initiated": ReceiptKind.PROVIDER_ACCEPTED,
    "ringing": ReceiptKind.RINGING,
    "in-progress": ReceiptKind.ANSWERED,
    "completed": ReceiptKind.COMPLETED,
    "busy": ReceiptKind.BUSY,
    "no-answer": ReceiptKind.NO_ANSWER,
    "failed": ReceiptKind.FAILED,
    "canceled": ReceiptKind.CANCELED,
}


class CallbackUrls:
    """Addresses with the attempt's id in them: a callback may arrive before we know the provider's own reference."""

    def __init__(self, public_url: str) -> None:
        base = public_url.rstrip("/")
        self._status = f"{base}{path_status}?"
        self._voice = f"{base}{path_voice}?"

    def status(self, attempt_id: str) -> str:
        return f"{self._status}attempt={_plain(attempt_id)}"

    def voice(
        self,
        attempt_id: str,
        language: Language,
        *,
        again: int = 0,
        digits: str = "",
        retry: int = 0,
        household: bool = False,
    ) -> str:
        """again: how often the page was repeated; digits, retry: a key kept while our store is slow; household: whose
        standing words to say then."""
        query: dict[str, str | int] = {}
        if household:
            query["who"] = who_household
        if again:
            query["again"] = again
        if retry:
            query |= {"digits": digits, "retry": retry}
        rest = f"&{urlencode(query)}" if query else ""
        return f"{self._voice}attempt={_plain(attempt_id)}&lang={language.value}{rest}"


def _plain(attempt_id: str) -> str:
    """Our own ids need no encoding; what a callback brought may."""
    return attempt_id if attempt_id.isascii() and attempt_id.isalnum() else quote_plus(attempt_id)


class SignatureCheck:
    """X-Twilio-Signature over the configured public address; the Host header is never believed."""

    def __init__(self, settings: TwilioSettings) -> None:
        base = urlsplit(settings.public_url.rstrip("/"))
        self._origin = f"{base.scheme}://{base.netloc}"
        self._prefix = base.path
        tokens = (settings.auth_token, settings.previous_auth_token, settings.webhook_key)
        self._validators = [RequestValidator(token) for token in tokens if token]
        self._tokens = [token.encode() for token in tokens if token]

    def holds(self, url: str, form: Mapping[str, Any], signature: str | None, how: str = "") -> bool:
        """url: as the request reached us, of which path and query count. form: exactly the posted fields. how: the
        header that names the algorithm, where Twilio signs with a shared key."""
        if not signature or not all(isinstance(value, str) for value in form.values()):
            return False
        parts = urlsplit(url)
        path = (
            parts.path if not self._prefix or parts.path.startswith(self._prefix + "/") else self._prefix + parts.path
        )
        public = self._origin + path + (f"?{parts.query}" if parts.query else "")
        given = signature.encode("utf-8", "replace")
        if not how and any(hmac.compare_digest(_signed(token, public, form), given) for token in self._tokens):
            return True
        algorithm = get_signature_algorithm(how)
        return any(bool(validator.validate(public, form, signature, algorithm)) for validator in self._validators)


def _signed(token: bytes, url: str, form: Mapping[str, str]) -> bytes:
    """The usual signature. What it does not fit goes to Twilio's own validator, which knows every other spelling."""
    told = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(token, told.encode("utf-8", "replace"), "sha1"))


def parse(kind: str, attempt_id: str | None, form: Mapping[str, Any]) -> list[CallbackEvent]:
    """kind: `status`, `voice` or `inbound`; form: posted fields, for `voice` together with the query's.

    A callback about an attempt that it does not name says nothing. A `voice` callback proves that somebody or something
    answered; digits "" means that nothing was pressed.
    """
    if kind == "inbound":
        sender, sid = _text(form, "From"), _text(form, "MessageSid")
        return [Reply(sender, _text(form, "Body"), sid)] if sender else []
    if not attempt_id:
        return []
    if kind == "status":
        return _status(attempt_id, form)
    if kind == "voice":
        answered = Receipt(attempt_id, ReceiptKind.ANSWERED, _text(form, "CallSid"))
        return [answered, KeyPress(attempt_id, pressed(form))]
    return []


def of_resource(channel: Channel, attempt_id: str, resource: Mapping[str, Any]) -> list[CallbackEvent]:
    """The same from a message or call that was looked up."""
    words = _message_words if channel is Channel.SMS else _call_words
    kind = words.get(_text(resource, "status"))
    error = resource.get("error_code")
    reference = _text(resource, "sid")
    return [] if kind is None else [Receipt(attempt_id, kind, reference, str(error or ""))]


def pressed(form: Mapping[str, Any]) -> str:
    """The digits of a Gather, or those that a redirect kept; "" for none."""
    digits = _text(form, "Digits") or _text(form, "digits")
    return digits if len(digits) <= digits_max and _keys.issuperset(digits) else ""


def callback_key(kind: str, form: Mapping[str, Any]) -> str:
    """The same for a repeated callback, different for any other."""
    sid = _text(form, "CallSid") or _text(form, "MessageSid")
    if kind == "voice":
        return f"{sid}|voice|{pressed(form)}|{_text(form, 'again')}"
    status = _text(form, "MessageStatus") or _text(form, "CallStatus")
    return f"{sid}|{kind}|{status}|{_text(form, 'SequenceNumber')}"


def _status(attempt_id: str, form: Mapping[str, Any]) -> list[CallbackEvent]:
    word = _text(form, "MessageStatus")
    if word:
        kind = _message_words.get(word)
        sid, error = _text(form, "MessageSid"), _text(form, "ErrorCode")
    else:
        kind = _call_words.get(_text(form, "CallStatus"))
        sip = _text(form, "SipResponseCode")
        sid, error = _text(form, "CallSid"), f"sip_{sip}" if kind is ReceiptKind.FAILED and sip else ""
        if kind is ReceiptKind.FAILED and sip == _sip_unreachable:
            kind = ReceiptKind.NO_ANSWER
    return [] if kind is None else [Receipt(attempt_id, kind, sid, error, _instant(_text(form, "Timestamp")))]


def _instant(text: str) -> datetime | None:
    """An RFC 2822 date: calls carry one, messages do not."""
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo is not None else None


def _text(form: Mapping[str, Any], name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""
