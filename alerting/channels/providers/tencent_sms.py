"""Texts over Tencent Cloud: registered templates only. Never repeats a request; the refusal stands inside a 200."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from alerting.channels.base import (
    Accepted,
    CallbackEvent,
    Caps,
    Health,
    NotFound,
    Rejected,
    Submission,
    Submitted,
    Unknown,
    acceptance,
    unanswered,
)
from alerting.channels.providers import tencent_callbacks
from alerting.channels.providers.tencent_channel import TencentChannel, filled_template, region_cn
from alerting.channels.providers.tencent_check import sms_health
from alerting.channels.providers.tencent_client import Response, TencentAccount
from alerting.channels.providers.tencent_errors import answer_to, code_fine
from devices.model import Channel

control_timeout_s = 5.0
clock_skew = timedelta(seconds=60)
"""Times are compared with Tencent's clock."""
_pulled_most = 100
_kept = timedelta(days=7)
"""So far back Tencent can be asked, less the skew."""


class TencentSms(TencentChannel):
    channel = Channel.SMS

    def __init__(self, account: TencentAccount) -> None:
        super().__init__(account)
        self.caps = Caps(
            receipts=True,
            two_way=self._settings.two_way,
            templates=True,
            regions=region_cn,
            windows=self._settings.sms_windows,
        )

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        """One POST for one number; the attempt's id travels as SessionContext."""
        filled = filled_template(submission, self._settings.sms_templates)
        if isinstance(filled, Rejected):
            return self._told(submission, filled)
        asked = {
            "PhoneNumberSet": [submission.address],
            "SmsSdkAppId": self._settings.sms_app_id,
            "SignName": self._settings.sms_sign_name,
            "TemplateId": filled[0],
            "TemplateParamSet": filled[1],
            "SessionContext": submission.attempt_id,
        }
        got = await self._account.sms("SendSms", asked, deadline_s)
        return self._told(submission, _accepted(got) if isinstance(got, Mapping) else got)

    async def reconcile(self, submission: Submission, provider_ref: str | None) -> Accepted | NotFound | Unknown:
        """Tencent lists a text only once its carrier has reported on it: found is found, but absence proves nothing."""
        rows = await self._pulled(submission)
        if not isinstance(rows, list):
            return rows
        for row in rows:
            serial = row.get("SerialNo")
            mine = serial == provider_ref if provider_ref else row.get("SessionContext") == submission.attempt_id
            if mine and isinstance(serial, str) and serial:
                return Accepted(serial)
        return Unknown("not_listed")

    async def poll(self, submission: Submission, provider_ref: str) -> list[CallbackEvent]:
        """What the carrier reported on this text, if it has."""
        rows = await self._pulled(submission)
        if not isinstance(rows, list):
            return []
        return [
            event
            for row in rows
            if row.get("SerialNo") == provider_ref
            for event in tencent_callbacks.pulled(submission.attempt_id, row)
        ]

    async def check(self) -> Health:
        """Templates, signature and what is left of the packages; see `tencent_check`."""
        return await sms_health(self._account)

    async def _pulled(self, submission: Submission) -> list[Mapping[str, Any]] | Unknown:
        """Every report on this number since the attempt was planned."""
        now = self._settings.now()
        since = max(submission.planned_at - clock_skew, now - _kept + clock_skew)
        asked = {
            "BeginTime": int(since.timestamp()),
            "EndTime": int((now + clock_skew).timestamp()),
            "Offset": 0,
            "Limit": _pulled_most,
            "PhoneNumber": submission.address,
            "SmsSdkAppId": self._settings.sms_app_id,
        }
        got = await self._account.sms("PullSmsSendStatusByPhoneNumber", asked, control_timeout_s)
        if not isinstance(got, Mapping):
            return unanswered(got)
        rows = got.get("PullSmsSendStatusSet")
        return (
            [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else Unknown("unreadable_answer")
        )


def _accepted(response: Response) -> Submitted:
    """The word on our one number."""
    rows = response.get("SendStatusSet")
    row = rows[0] if isinstance(rows, list) and len(rows) == 1 else None
    code = row.get("Code") if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(code, str):
        return Unknown("unreadable_answer")
    if code != code_fine:
        return answer_to(code)
    return acceptance(row.get("SerialNo"))
