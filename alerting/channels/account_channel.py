"""What the channels of one vendor account share: its client, closed by the last of them, and the word in the log.

Never shows a whole number.
"""

import logging

from alerting.channels.base import Accepted, Submission, Submitted
from alerting.channels.http import VendorHttp
from alerting.channels.mask import masked
from alerting.channels.modest import Modest
from devices.model import Channel

log = logging.getLogger(__name__)


class AccountChannel(Modest):
    """One of the channels of an account."""

    channel: Channel
    name: str

    def __init__(self, http: VendorHttp) -> None:
        self._http = http
        self._closed = False
        http.join()

    async def close(self) -> None:
        """Leave the shared client; a second call does nothing."""
        if not self._closed:
            self._closed = True
            await self._http.leave()

    def _told(self, submission: Submission, answer: Submitted) -> Submitted:
        if not isinstance(answer, Accepted):
            log.warning("%s %s to %s: %s", self.name, self.channel.value, masked(submission.address), answer)
        return answer
