"""Texts over Twilio. Never splits, shortens or rewrites one."""

from collections.abc import Sequence

from alerting.channels.base import Accepted, Caps, NotFound, Submission, Submitted, Unknown
from alerting.channels.providers.twilio_channel import TwilioChannel, accepted_as, created_since
from alerting.channels.providers.twilio_client import Resource, TwilioAccount, Values, created_at, text_of
from devices.model import Channel

_service_prefix = "MG"


class TwilioSms(TwilioChannel):
    channel = Channel.SMS
    noun = "Messages"

    def __init__(self, account: TwilioAccount) -> None:
        super().__init__(account)
        self.caps = Caps(receipts=True, two_way=self._settings.two_way, links=True, finds=True)

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        """One POST. The text expires in the provider's queue after `validity_s`."""
        return await self._hand_over(submission, submission.text, deadline_s)

    def _asked(self, submission: Submission, content: str) -> Values:
        sender = self._settings.from_number
        by_service = sender.startswith(_service_prefix)
        return (
            ("To", submission.address),
            ("MessagingServiceSid" if by_service else "From", sender),
            ("Body", content),
            ("ValidityPeriod", str(self._settings.validity_s)),
        )

    def _list_of(self, submission: Submission) -> Values:
        """Not by DateSent: a text that still waits in the queue has none, and would be taken for lost and sent
        again."""
        return (("To", submission.address),)

    def _pick(self, submission: Submission, listed: Sequence[Resource]) -> Accepted | NotFound | Unknown:
        """By number, text and creation time."""
        since, text = created_since(submission), submission.text.strip()
        for message in listed:
            created = created_at(message)
            # A trial account puts its own words in front.
            if (created is None or created >= since) and text_of(message, "body").strip().endswith(text):
                return accepted_as(message)
        return NotFound()
