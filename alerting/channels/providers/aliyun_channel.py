"""What texts and calls over Alibaba Cloud share: the template's code and variables, callbacks, closing. Never sends."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from alerting.channels.base import Accepted, CallbackEvent, Rejected, Scope, Submission, Submitted
from alerting.channels.mask import masked
from alerting.channels.modest import Modest
from alerting.channels.providers import aliyun_callbacks
from alerting.channels.providers.aliyun_client import AliyunAccount
from alerting.channels.providers.aliyun_settings import Templates
from devices.model import Channel

log = logging.getLogger(__name__)

country_cn = "+86"
region_cn = frozenset({country_cn})
control_timeout_s = 5.0


class AliyunChannel(Modest):
    """One of the two channels of an account."""

    channel: Channel
    name = "aliyun"

    def __init__(self, account: AliyunAccount) -> None:
        self._account = account
        self._settings = account.settings
        self._closed = False
        account.http.join()

    def parse_callback(self, kind: str, attempt_id: str | None, form: Mapping[str, Any]) -> list[CallbackEvent]:
        """See `aliyun_callbacks.parse`."""
        return aliyun_callbacks.parse(kind, attempt_id, form)

    async def close(self) -> None:
        """Leave the shared client; a second call does nothing."""
        if not self._closed:
            self._closed = True
            await self._account.http.leave()

    def _told(self, submission: Submission, answer: Submitted) -> Submitted:
        if not isinstance(answer, Accepted):
            log.warning("aliyun %s to %s: %s", self.channel.value, masked(submission.address), answer)
        return answer


def national(address: str) -> str | Rejected:
    """The eleven digits that Alibaba wants; it serves the mainland only."""
    if not address.startswith(country_cn):
        return Rejected("number_no_route", Scope.NUMBER)
    return address.removeprefix(country_cn)


def filled_template(
    submission: Submission, templates: Templates, name: str | None = None
) -> tuple[str, str] | Rejected:
    """Alibaba's code of the template, and its variables as JSON. name: another template of the same variables."""
    wording = submission.wording
    if wording is None:
        return Rejected("no_template", Scope.TEXT)
    wanted = name or wording.template
    code = templates.get(submission.language, {}).get(wanted)
    if code is None:
        return Rejected("template_not_set", Scope.TEXT, wanted)
    return code, json.dumps(dict(wording.variables), ensure_ascii=False)
