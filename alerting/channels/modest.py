"""What a carrier answers that can do nothing beyond submitting: the base of those that need no more. Never sends."""

from collections.abc import Mapping
from typing import Any

from alerting.channels.base import Accepted, CallbackEvent, Caps, Health, NotFound, Submission, Unknown


class Modest:
    """Everything of `ChannelProvider` but `channel`, `name` and `submit`; override what the carrier can do."""

    caps: Caps = Caps()

    async def reconcile(self, submission: Submission, provider_ref: str | None) -> Accepted | NotFound | Unknown:
        """It keeps nothing that could be looked up."""
        return NotFound()

    async def cancel(self, provider_ref: str) -> bool:
        """What went out cannot be taken back."""
        return False

    async def poll(self, submission: Submission, provider_ref: str) -> list[CallbackEvent]:
        """It knows nothing new."""
        return []

    async def check(self) -> Health:
        """There is no account to look at."""
        return Health()

    def parse_callback(self, kind: str, attempt_id: str | None, form: Mapping[str, Any]) -> list[CallbackEvent]:
        """It does not call back."""
        return []

    async def close(self) -> None:
        """Nothing is open."""
