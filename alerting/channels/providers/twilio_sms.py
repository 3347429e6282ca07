"""Texts over Twilio. Never splits, shortens or rewrites one."""

import asyncio
from typing import Any

from twilio.base import values

from alerting.channels.base import Accepted, NotFound, Submission, Submitted, Unknown
from alerting.channels.providers.twilio_channel import TwilioChannel, accepted_as, created_since
from devices.model import Channel

_listed_max = 50
_service_prefix = "MG"


class TwilioSms(TwilioChannel):
    channel = Channel.SMS

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        """One POST. The text expires in the provider's queue after `validity_s`."""
        return await self._hand_over(submission, submission.text, deadline_s)

    async def _create(self, submission: Submission, content: str, status_callback: object) -> Any:
        sender = self._settings.from_number
        by_service = sender.startswith(_service_prefix)
        return await self._account.client.messages.create_async(
            to=submission.address,
            from_=values.unset if by_service else sender,
            messaging_service_sid=sender if by_service else values.unset,
            body=content,
            status_callback=status_callback,
            validity_period=self._settings.validity_s,
        )

    async def _fetch(self, provider_ref: str) -> Any:
        return await self._account.client.messages(provider_ref).fetch_async()

    async def _find(self, submission: Submission) -> Accepted | NotFound | Unknown:
        """By number, text and creation time.

        Not by DateSent: a text that still waits in the queue has none, and would be taken for lost and sent again. The
        list is newest first, so its first page holds everything recent.
        """
        for wait_s in (0.0, self._settings.list_lag_s):
            await asyncio.sleep(wait_s)
            listed = await self._account.client.messages.list_async(to=submission.address, limit=_listed_max)
            since = created_since(submission)
            text = submission.text.strip()
            for message in listed:
                fresh = message.date_created is None or message.date_created >= since
                # A trial account puts its own words in front.
                if fresh and (message.body or "").strip().endswith(text):
                    return accepted_as(message)
        return NotFound()
