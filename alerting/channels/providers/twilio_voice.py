"""Calls over Twilio: the page itself travels inline, keys come back to our callback. Never detects machines: only a key
counts, and detection would delay the first word."""

from collections.abc import Sequence
from datetime import timedelta

from alerting.channels.base import Accepted, Caps, NotFound, Rejected, Scope, Submission, Submitted, Unknown
from alerting.channels.providers import twilio_twiml
from alerting.channels.providers.twilio_channel import TwilioChannel, accepted_as, control_timeout_s, created_since
from alerting.channels.providers.twilio_client import (
    Resource,
    Trouble,
    TwilioAccount,
    Values,
    created_at,
    text_of,
)
from devices.model import Channel

_events = tuple(("StatusCallbackEvent", word) for word in ("initiated", "ringing", "answered", "completed"))
_submit_window_s = 60
"""A call of this attempt was created at most so long after it was planned; carriers allow no redial sooner."""


class TwilioVoice(TwilioChannel):
    channel = Channel.VOICE
    noun = "Calls"

    def __init__(self, account: TwilioAccount) -> None:
        super().__init__(account)
        self.caps = Caps(
            receipts=True,
            dtmf=True,
            finds=True,
            reports_ringing=True,
            cancels=True,
            per_second=self._settings.calls_per_second,
            ring_s=self._settings.ring_s,
        )

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
            call = await self._account.update(self.noun, provider_ref, (("Status", wish),), control_timeout_s)
            if not isinstance(call, Trouble) and text_of(call, "status") in ("canceled", "completed"):
                return True
        return False

    def _asked(self, submission: Submission, content: str) -> Values:
        return (
            ("To", submission.address),
            ("From", self._settings.from_number),
            ("Twiml", content),
            ("Timeout", str(self._settings.ring_s)),
            *_events,
        )

    def _list_of(self, submission: Submission) -> Values:
        """Not by StartTime: a queued call has none yet."""
        return (("To", submission.address), ("From", self._settings.from_number))

    def _pick(self, submission: Submission, listed: Sequence[Resource]) -> Accepted | NotFound | Unknown:
        """By both numbers and the time of creation: a listed call shows nothing else of ours. Two calls in the window
        cannot be told apart."""
        since = created_since(submission)
        until = submission.planned_at + timedelta(seconds=_submit_window_s)
        matching = [call for call in listed if (at := created_at(call)) is None or since <= at <= until]
        if len(matching) > 1:
            return Unknown("several_calls")
        return accepted_as(matching[0]) if matching else NotFound()
