"""What texts and calls over Alibaba Cloud share: the template's code and variables, callbacks, closing. Never sends."""

from collections.abc import Mapping
from typing import Any

import msgspec

from alerting.channels.account_channel import AccountChannel
from alerting.channels.base import CallbackEvent, Rejected, Scope, Submission
from alerting.channels.providers import aliyun_callbacks
from alerting.channels.providers.aliyun_client import AliyunAccount
from alerting.channels.providers.aliyun_settings import Templates

country_cn = "+86"
region_cn = frozenset({country_cn})
control_timeout_s = 5.0


class AliyunChannel(AccountChannel):
    """One of the two channels of an account."""

    name = "aliyun"

    def __init__(self, account: AliyunAccount) -> None:
        super().__init__(account.http)
        self._account = account
        self._settings = account.settings

    def parse_callback(self, kind: str, attempt_id: str | None, form: Mapping[str, Any]) -> list[CallbackEvent]:
        """See `aliyun_callbacks.parse`."""
        return aliyun_callbacks.parse(kind, attempt_id, form)


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
    variables = msgspec.json.encode(dict(wording.variables))
    return code, msgspec.json.format(variables, indent=0).decode()  # one line, letter for letter as `json` writes it
