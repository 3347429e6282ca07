"""What SMS and calls over Twilio share: submit once, callbacks, signatures. Never repeats a request, but for a callback
address that Twilio refuses."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from twilio.base import values
from twilio.base.exceptions import TwilioRestException, TwilioServiceException

from alerting.channels.base import (
    Accepted,
    Busy,
    CallbackEvent,
    NotFound,
    Rejected,
    Scope,
    Submission,
    Submitted,
    Unknown,
)
from alerting.channels.mask import masked
from alerting.channels.providers import twilio_callbacks
from alerting.channels.providers.twilio_client import Trouble, TwilioAccount, guarded
from alerting.channels.providers.twilio_errors import code_callback_refused, code_not_found
from devices.model import Channel

log = logging.getLogger(__name__)

control_timeout_s = 5.0
clock_skew_s = 5
"""How far Twilio's clock may be behind ours when a creation time is compared with `planned_at`."""
_dead_words = frozenset({"failed", "undelivered", "canceled"})


class TwilioChannel(ABC):
    """One of the two channels of an account."""

    channel: Channel
    name = "twilio"

    def __init__(self, account: TwilioAccount) -> None:
        self._account = account
        self._settings = account.settings
        self._urls = twilio_callbacks.CallbackUrls(account.settings.public_url)
        self._signatures = twilio_callbacks.SignatureCheck(account.settings)
        self._closed = False
        account.join()

    @abstractmethod
    async def submit(self, submission: Submission, deadline_s: float) -> Submitted: ...

    @abstractmethod
    async def _create(self, submission: Submission, content: str, status_callback: object) -> Any:
        """The SDK's create call."""

    @abstractmethod
    async def _fetch(self, provider_ref: str) -> Any:
        """The SDK's fetch call."""

    @abstractmethod
    async def _find(self, submission: Submission) -> Accepted | NotFound | Unknown:
        """Look through the provider's list, once more after its lag when nothing is there."""

    async def reconcile(self, submission: Submission, provider_ref: str | None) -> Accepted | NotFound | Unknown:
        """By the provider's reference where there is one, else through its list by number."""
        if provider_ref is None:
            found = await guarded(self._find(submission), control_timeout_s + self._settings.list_lag_s)
        else:
            found = await guarded(self._known(provider_ref), control_timeout_s)
        match found:
            case Accepted() | NotFound() | Unknown():
                return found
            case Busy():
                return Unknown("busy")
            case Rejected(code=code):
                absent = provider_ref is not None and code == str(code_not_found)
                return NotFound() if absent else Unknown("refused")

    async def cancel(self, provider_ref: str) -> bool:
        """A text that was handed over cannot be called back."""
        return False

    def parse_callback(self, kind: str, attempt_id: str | None, form: Mapping[str, Any]) -> list[CallbackEvent]:
        """See `twilio_callbacks.parse`."""
        return twilio_callbacks.parse(kind, attempt_id, form)

    def callback_key(self, kind: str, form: Mapping[str, Any]) -> str:
        """See `twilio_callbacks.callback_key`."""
        return twilio_callbacks.callback_key(kind, form)

    def verify_signature(self, url: str, form: Mapping[str, Any], signature: str | None) -> bool:
        """See `twilio_callbacks.SignatureCheck.holds`."""
        return self._signatures.holds(url, form, signature)

    async def close(self) -> None:
        """Leave the shared client; a second call does nothing."""
        if not self._closed:
            self._closed = True
            await self._account.leave()

    async def _hand_over(self, submission: Submission, content: str, deadline_s: float) -> Submitted:
        """Create once and read the answer."""
        made = await guarded(self._create_or_without_callback(submission, content), deadline_s)
        answer = made if isinstance(made, Trouble) else _read(made)
        if not isinstance(answer, Accepted):
            log.warning("twilio %s to %s: %s", self.channel.value, masked(submission.address), answer)
        return answer

    async def _create_or_without_callback(self, submission: Submission, content: str) -> Any:
        """A refused callback address must not silence a fire: the page goes out, its receipts do not come back."""
        try:
            return await self._create(submission, content, self._urls.status(submission.attempt_id))
        except (TwilioRestException, TwilioServiceException) as error:
            if error.code != code_callback_refused:
                raise
        log.error("twilio refused our callback address; sending without receipts")
        return await self._create(submission, content, values.unset)

    async def _known(self, provider_ref: str) -> Accepted | Unknown:
        return accepted_as(await self._fetch(provider_ref))


def accepted_as(resource: Any) -> Accepted | Unknown:
    """A resource of the provider as an acceptance; without an SID it proves nothing."""
    if not isinstance(resource.sid, str) or not resource.sid:
        return Unknown("unreadable_answer")
    queue_ms = str(getattr(resource, "queue_time", None) or "0")
    return Accepted(resource.sid, int(queue_ms) if queue_ms.isdecimal() else 0)


def _read(made: Any) -> Submitted:
    if made.status in _dead_words:
        return Rejected(f"born_{made.status}", Scope.ACCOUNT, str(getattr(made, "error_code", None) or ""))
    return accepted_as(made)


def created_since(submission: Submission) -> datetime:
    """The earliest creation time that a resource of this attempt can have; the provider's times are whole seconds."""
    return submission.planned_at - timedelta(seconds=clock_skew_s)
