"""What SMS and calls over Twilio share: submit once, callbacks, signatures. Never repeats a request, but for a callback
address that Twilio refuses."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from alerting.channels.account_channel import AccountChannel
from alerting.channels.base import (
    Accepted,
    CallbackEvent,
    Health,
    NotFound,
    Rejected,
    Scope,
    Submission,
    Submitted,
    Unknown,
    unanswered,
)
from alerting.channels.providers import twilio_callbacks
from alerting.channels.providers.twilio_check import look_at
from alerting.channels.providers.twilio_client import Resource, Trouble, TwilioAccount, Values, text_of
from alerting.channels.providers.twilio_errors import code_callback_refused, code_not_found

log = logging.getLogger(__name__)

control_timeout_s = 5.0
queue_ms_noted = 1_000
listed_max = 50
clock_skew_s = 5
"""How far Twilio's clock may be behind ours when a creation time is compared with `planned_at`."""
_dead_words = frozenset({"failed", "undelivered", "canceled"})


class TwilioChannel(AccountChannel, ABC):
    """One of the two channels of an account."""

    name = "twilio"
    noun: str
    """What Twilio calls its messages and calls."""

    def __init__(self, account: TwilioAccount) -> None:
        super().__init__(account.http)
        self._account = account
        self._settings = account.settings
        self._urls = twilio_callbacks.CallbackUrls(account.settings.public_url)
        self._signatures = twilio_callbacks.SignatureCheck(account.settings)

    @abstractmethod
    async def submit(self, submission: Submission, deadline_s: float) -> Submitted: ...

    @abstractmethod
    def _asked(self, submission: Submission, content: str) -> Values:
        """What creates it, but for where receipts go."""

    @abstractmethod
    def _list_of(self, submission: Submission) -> Values:
        """What lists everything that may be it."""

    @abstractmethod
    def _pick(self, submission: Submission, listed: Sequence[Resource]) -> Accepted | NotFound | Unknown:
        """Which of those it is. ValueError: one of them cannot be read."""

    async def reconcile(self, submission: Submission, provider_ref: str | None) -> Accepted | NotFound | Unknown:
        """By the provider's reference where there is one, else through its list by number."""
        if provider_ref is None:
            return await self._find(submission)
        found = await self._account.fetch(self.noun, provider_ref, control_timeout_s)
        if isinstance(found, Rejected) and found.code == str(code_not_found):
            return NotFound()
        return unanswered(found) if isinstance(found, Trouble) else accepted_as(found)

    async def poll(self, submission: Submission, provider_ref: str) -> list[CallbackEvent]:
        """How it stands with a message or call by now; [] where Twilio does not say."""
        found = await self._account.fetch(self.noun, provider_ref, control_timeout_s)
        if isinstance(found, Trouble):
            return []
        return twilio_callbacks.of_resource(self.channel, submission.attempt_id, found)

    async def check(self) -> Health:
        """See `twilio_check`."""
        return await look_at(self._account)

    def parse_callback(self, kind: str, attempt_id: str | None, form: Mapping[str, Any]) -> list[CallbackEvent]:
        """See `twilio_callbacks.parse`."""
        return twilio_callbacks.parse(kind, attempt_id, form)

    def callback_key(self, kind: str, form: Mapping[str, Any]) -> str:
        """See `twilio_callbacks.callback_key`."""
        return twilio_callbacks.callback_key(kind, form)

    def verify_signature(self, url: str, form: Mapping[str, Any], signature: str | None) -> bool:
        """See `twilio_callbacks.SignatureCheck.holds`."""
        return self._signatures.holds(url, form, signature)

    async def _hand_over(self, submission: Submission, content: str, deadline_s: float) -> Submitted:
        """Create once and read the answer."""
        made = await self._create_or_without_callback(submission, content, deadline_s)
        answer = made if isinstance(made, Trouble) else _read(made)
        if isinstance(answer, Accepted) and answer.queue_ms > queue_ms_noted:
            log.warning("twilio holds a %s back for %d ms: its rate is used up", self.channel.value, answer.queue_ms)
        return self._told(submission, answer)

    async def _create_or_without_callback(
        self, submission: Submission, content: str, deadline_s: float
    ) -> Resource | Trouble:
        """A refused callback address must not silence a fire: the page goes out, its receipts do not come back."""
        until = asyncio.get_running_loop().time() + deadline_s
        asked = self._asked(submission, content)
        callback = ("StatusCallback", self._urls.status(submission.attempt_id))
        made = await self._account.create(self.noun, (*asked, callback), deadline_s)
        if not isinstance(made, Rejected) or made.code != str(code_callback_refused):
            return made
        log.error("twilio refused our callback address; sending without receipts")
        left_s = until - asyncio.get_running_loop().time()
        return await self._account.create(self.noun, asked, left_s)

    async def _find(self, submission: Submission) -> Accepted | NotFound | Unknown:
        """Look through Twilio's list, once more after its lag when nothing is there. The list is newest first, so its
        first page holds everything recent."""
        asked = (*self._list_of(submission), ("PageSize", str(listed_max)))
        for wait_s in (0.0, self._settings.list_lag_s):
            await asyncio.sleep(wait_s)
            listed = await self._account.listed(self.noun, asked, control_timeout_s)
            if isinstance(listed, Trouble):
                return unanswered(listed)
            try:
                found = self._pick(submission, listed)
            except ValueError:
                return Unknown("unreadable_answer")
            if not isinstance(found, NotFound):
                return found
        return NotFound()


def accepted_as(resource: Resource) -> Accepted | Unknown:
    """A resource of the provider as an acceptance; without an SID it proves nothing."""
    sid = resource.get("sid")
    if not isinstance(sid, str) or not sid:
        return Unknown("unreadable_answer")
    queue_ms = text_of(resource, "queue_time")
    return Accepted(sid, int(queue_ms) if queue_ms.isdecimal() else 0)


def _read(made: Resource) -> Submitted:
    status = text_of(made, "status")
    if status in _dead_words:
        return Rejected(f"born_{status}", Scope.ACCOUNT, text_of(made, "error_code"))
    return accepted_as(made)


def created_since(submission: Submission) -> datetime:
    """The earliest creation time that a resource of this attempt can have; the provider's times are whole seconds."""
    return submission.planned_at - timedelta(seconds=clock_skew_s)
