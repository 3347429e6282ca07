"""Texts over Alibaba Cloud: registered templates only. Never repeats a request; the refusal stands inside a 200."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta, timezone
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
from alerting.channels.providers import aliyun_callbacks
from alerting.channels.providers.aliyun_channel import (
    AliyunChannel,
    control_timeout_s,
    filled_template,
    national,
    region_cn,
)
from alerting.channels.providers.aliyun_check import sms_health
from alerting.channels.providers.aliyun_client import AliyunAccount, Got
from devices.model import Channel

texts_per_second = 5_000.0
_china = timezone(timedelta(hours=8))
_listed_most = 50
_pages_most = 4
"""A white-listed phone can get more than fifty texts on a bad day; which come first, Alibaba does not say."""
_clock_skew = timedelta(seconds=60)
"""A text planned just before midnight may have been sent on the next day."""


class AliyunSms(AliyunChannel):
    channel = Channel.SMS

    def __init__(self, account: AliyunAccount) -> None:
        super().__init__(account)
        self.caps = Caps(
            receipts=True,
            two_way=self._settings.two_way,
            templates=True,
            regions=region_cn,
            finds=True,
            windows=self._settings.sms_windows,
            per_second=texts_per_second,
        )

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        """One POST for one number; the attempt's id travels as OutId."""
        number = national(submission.address)
        filled = filled_template(submission, self._settings.sms_templates)
        if isinstance(number, Rejected):
            return self._told(submission, number)
        if isinstance(filled, Rejected):
            return self._told(submission, filled)
        params = {
            "PhoneNumbers": number,
            "SignName": self._settings.sign_name,
            "TemplateCode": filled[0],
            "TemplateParam": filled[1],
            "OutId": submission.attempt_id,
        }
        return self._told(submission, _accepted(await self._account.sms("SendSms", params, deadline_s)))

    async def reconcile(self, submission: Submission, provider_ref: str | None) -> Accepted | NotFound | Unknown:
        """Through Alibaba's records of that number and day, once more after their lag when it is not there.

        The records show our OutId and not Alibaba's BizId: what is found without a reference goes by our own id.
        """
        for wait_s in (0.0, self._settings.list_lag_s):
            await asyncio.sleep(wait_s)
            rows = await self._listed(submission, provider_ref)
            if not isinstance(rows, list):
                return rows
            if any(row.get("OutId") == submission.attempt_id for row in rows):
                return Accepted(provider_ref or submission.attempt_id)
        return NotFound()

    async def poll(self, submission: Submission, provider_ref: str) -> list[CallbackEvent]:
        """What the carrier reported on this text, if it has."""
        rows = await self._listed(submission, None if provider_ref == submission.attempt_id else provider_ref)
        if not isinstance(rows, list):
            return []
        return [
            event
            for row in rows
            if row.get("OutId") == submission.attempt_id
            for event in aliyun_callbacks.listed(submission.attempt_id, provider_ref, row)
        ]

    async def check(self) -> Health:
        """Signature, templates and balance; see `aliyun_check`."""
        return await sms_health(self._account)

    async def _listed(self, submission: Submission, provider_ref: str | None) -> list[Mapping[str, Any]] | Unknown:
        """Texts to this number on the day of the attempt, or also on the next when midnight was near."""
        number = national(submission.address)
        if isinstance(number, Rejected):
            return []
        sent = submission.planned_at
        days = sorted({f"{moment.astimezone(_china):%Y%m%d}" for moment in (sent, sent + _clock_skew)})
        found: list[Mapping[str, Any]] = []
        for day in days:
            params = {"PhoneNumber": number, "SendDate": day, "PageSize": str(_listed_most)}
            if provider_ref is not None:
                params["BizId"] = provider_ref
            for page in range(1, _pages_most + 1):
                asked = params | {"CurrentPage": str(page)}
                rows = _rows(await self._account.sms("QuerySendDetails", asked, control_timeout_s))
                if not isinstance(rows, list):
                    return rows
                found += rows
                if len(rows) < _listed_most:
                    break
        return found


def _accepted(got: Got) -> Submitted:
    if not isinstance(got, Mapping):
        return got
    return acceptance(got.get("BizId"))


def _rows(got: Got) -> list[Mapping[str, Any]] | Unknown:
    if not isinstance(got, Mapping):
        return unanswered(got)
    listed = got.get("SmsSendDetailDTOs")
    rows = listed.get("SmsSendDetailDTO") if isinstance(listed, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else Unknown("unreadable_answer")
