"""Calls over Twilio: the page itself travels inline, keys come back to our callback. Never detects machines: only a key
counts, and detection would delay the first word."""

import asyncio
from datetime import timedelta
from typing import Any

from alerting.channels.base import Accepted, NotFound, Rejected, Scope, Submission, Submitted, Unknown
from alerting.channels.providers import twilio_twiml
from alerting.channels.providers.twilio_channel import TwilioChannel, accepted_as, control_timeout_s, created_since
from alerting.channels.providers.twilio_client import Trouble, guarded
from devices.model import Channel

_events = ["initiated", "ringing", "answered", "completed"]
_listed_max = 50
_submit_window_s = 60
"""A call of this attempt was created at most so long after it was planned; carriers allow no redial sooner."""


class TwilioVoice(TwilioChannel):
    channel = Channel.VOICE

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        """One POST with the script as inline TwiML; `queue_ms` tells how long the account's call rate holds it back."""
        script = twilio_twiml.read_script(submission.text)
        if script is None:
            return Rejected("script_unreadable", Scope.TEXT)
        action = self._urls.voice(submission.attempt_id, script.language, household=script.household)
        twiml = twilio_twiml.page(script, action)
        if len(twiml) > twilio_twiml.twiml_chars_max:
            return Rejected("text_too_long", Scope.TEXT)
        return await self._hand_over(submission, twiml, deadline_s)

    async def cancel(self, provider_ref: str) -> bool:
        """Take a queued or ringing call back, hang up one that runs. False when it had ended already."""
        for wish in ("canceled", "completed"):  # `canceled` leaves a running call alone
            call = await guarded(self._update(provider_ref, wish), control_timeout_s)
            if not isinstance(call, Trouble) and call.status in ("canceled", "completed"):
                return True
        return False

    async def _create(self, submission: Submission, content: str, status_callback: object) -> Any:
        return await self._account.client.calls.create_async(
            to=submission.address,
            from_=self._settings.from_number,
            twiml=content,
            timeout=self._settings.ring_s,
            status_callback=status_callback,
            status_callback_event=_events,
        )

    async def _fetch(self, provider_ref: str) -> Any:
        return await self._account.client.calls(provider_ref).fetch_async()

    async def _update(self, provider_ref: str, status: str) -> Any:
        return await self._account.client.calls(provider_ref).update_async(status=status)

    async def _find(self, submission: Submission) -> Accepted | NotFound | Unknown:
        """By both numbers and the time of creation: a listed call shows nothing else of ours.

        Not by StartTime: a queued call has none yet. Two calls in the window cannot be told apart.
        """
        since = created_since(submission)
        until = submission.planned_at + timedelta(seconds=_submit_window_s)
        for wait_s in (0.0, self._settings.list_lag_s):
            await asyncio.sleep(wait_s)
            listed = await self._account.client.calls.list_async(
                to=submission.address, from_=self._settings.from_number, limit=_listed_max
            )
            matching = [call for call in listed if call.date_created is None or since <= call.date_created <= until]
            if len(matching) == 1:
                return accepted_as(matching[0])
            if matching:
                return Unknown("several_calls")
        return NotFound()
