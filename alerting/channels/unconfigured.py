"""A channel without a provider: every attempt is refused with that reason, so that nothing waits for it in silence."""

from collections.abc import Mapping
from typing import Any

from alerting.channels.base import Accepted, CallbackEvent, NotFound, Rejected, Scope, Submission, Submitted, Unknown
from devices.model import Channel


class Unconfigured:
    """Stands where `[twilio]` (or another provider) is not set."""

    name = "none"

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        return Rejected("no_provider", Scope.ACCOUNT)

    async def reconcile(self, submission: Submission, provider_ref: str | None) -> Accepted | NotFound | Unknown:
        return NotFound()

    async def cancel(self, provider_ref: str) -> bool:
        return False

    def parse_callback(self, kind: str, attempt_id: str | None, form: Mapping[str, Any]) -> list[CallbackEvent]:
        return []

    async def close(self) -> None:
        return
