"""A channel without a provider: every attempt is refused with that reason, so that nothing waits for it in silence."""

from alerting.channels.base import Rejected, Scope, Submission, Submitted
from alerting.channels.modest import Modest
from devices.model import Channel


class Unconfigured(Modest):
    """Stands where no provider of the channel is set."""

    name = "none"

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        return Rejected("no_provider", Scope.ACCOUNT)
