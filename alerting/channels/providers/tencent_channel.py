"""What texts and calls over Tencent Cloud share: a template filled, callbacks, closing. Never sends."""

import logging
from collections.abc import Mapping
from typing import Any

from alerting.channels.base import Accepted, CallbackEvent, Rejected, Scope, Submission, Submitted
from alerting.channels.mask import masked
from alerting.channels.modest import Modest
from alerting.channels.providers import tencent_callbacks
from alerting.channels.providers.tencent_client import TencentAccount
from alerting.channels.providers.tencent_settings import Templates
from alerting.core.templates import order
from devices.model import Channel

log = logging.getLogger(__name__)

region_cn = frozenset({"+86"})


class TencentChannel(Modest):
    """One of the two channels of an account."""

    channel: Channel
    name = "tencent"

    def __init__(self, account: TencentAccount) -> None:
        self._account = account
        self._settings = account.settings
        self._closed = False
        account.http.join()

    def parse_callback(self, kind: str, attempt_id: str | None, form: Mapping[str, Any]) -> list[CallbackEvent]:
        """See `tencent_callbacks.parse`."""
        return tencent_callbacks.parse(kind, attempt_id, form)

    async def close(self) -> None:
        """Leave the shared client; a second call does nothing."""
        if not self._closed:
            self._closed = True
            await self._account.http.leave()

    def _told(self, submission: Submission, answer: Submitted) -> Submitted:
        if not isinstance(answer, Accepted):
            log.warning("tencent %s to %s: %s", self.channel.value, masked(submission.address), answer)
        return answer


def filled_template(submission: Submission, templates: Templates) -> tuple[str, list[str]] | Rejected:
    """Tencent's number of the template, and its variables in the order in which they stand in the registered text."""
    wording = submission.wording
    if wording is None:
        return Rejected("no_template", Scope.TEXT)
    number = templates.get(submission.language, {}).get(wording.template)
    if number is None:
        return Rejected("template_not_set", Scope.TEXT, wording.template)
    try:
        return number, [wording.variables[name] for name in order(wording.template)]
    except KeyError:
        return Rejected("template_variables", Scope.TEXT, wording.template)
