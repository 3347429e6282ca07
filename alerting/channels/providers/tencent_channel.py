"""What texts and calls over Tencent Cloud share: a template filled, callbacks, closing. Never sends."""

from collections.abc import Mapping
from typing import Any

from alerting.channels.account_channel import AccountChannel
from alerting.channels.base import CallbackEvent, Rejected, Scope, Submission
from alerting.channels.providers import tencent_callbacks
from alerting.channels.providers.tencent_client import TencentAccount
from alerting.channels.providers.tencent_settings import Templates
from alerting.core.templates import order

region_cn = frozenset({"+86"})


class TencentChannel(AccountChannel):
    """One of the two channels of an account."""

    name = "tencent"

    def __init__(self, account: TencentAccount) -> None:
        super().__init__(account.http)
        self._account = account
        self._settings = account.settings

    def parse_callback(self, kind: str, attempt_id: str | None, form: Mapping[str, Any]) -> list[CallbackEvent]:
        """See `tencent_callbacks.parse`."""
        return tencent_callbacks.parse(kind, attempt_id, form)


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
