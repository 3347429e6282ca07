"""Texts over Amazon SNS, abroad. It reports nothing back: its chip stays `?`. Never splits, shortens or repeats one."""

import asyncio

from alerting.channels.account_channel import AccountChannel
from alerting.channels.base import (
    Accepted,
    Busy,
    Caps,
    Finding,
    Health,
    HealthWord,
    NotFound,
    Rejected,
    Scope,
    Submission,
    Submitted,
    Unknown,
    acceptance,
)
from alerting.channels.providers.sns_client import SnsAccount, element, entries
from alerting.channels.providers.sns_settings import CALLING_CODES
from devices.model import Channel

text_bytes_max = 1_600
check_timeout_s = 4.0
_key_faults = frozenset({"credentials", "clock"})
_small_limit_usd = 1.0
"""What a new account may spend in a month: a few texts."""


class SnsSms(AccountChannel):
    channel = Channel.SMS
    name = "sns"

    def __init__(self, account: SnsAccount) -> None:
        super().__init__(account.http)
        self._account = account
        self.caps = Caps(links=True, regions=CALLING_CODES, per_second=account.settings.per_second)

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        """One Publish straight to the number; a transactional text goes before advertisements."""
        if len(submission.text.encode()) > text_bytes_max:
            return self._told(submission, Rejected("text_too_long", Scope.TEXT))
        got = await self._account.ask("Publish", self._asked(submission), deadline_s)
        return self._told(submission, accepted(got) if isinstance(got, str) else got)

    async def reconcile(self, submission: Submission, provider_ref: str | None) -> Accepted | NotFound | Unknown:
        """SNS lists nothing."""
        return Unknown("not_listed")

    async def check(self) -> Health:
        """The key, the sandbox, the month's spending limit."""
        attributes, sandbox = await asyncio.gather(
            self._account.ask("GetSMSAttributes", {}, check_timeout_s),
            self._account.ask("GetSMSSandboxAccountStatus", {}, check_timeout_s),
        )
        return Health((_credentials(attributes), _sandbox(sandbox), _spending(attributes)))

    def _asked(self, submission: Submission) -> dict[str, str]:
        attributes = {"AWS.SNS.SMS.SMSType": "Transactional"}
        if self._account.settings.sender_id:
            attributes["AWS.SNS.SMS.SenderID"] = self._account.settings.sender_id
        asked = {"PhoneNumber": submission.address, "Message": submission.text}
        for number, (name, value) in enumerate(attributes.items(), 1):
            entry = f"MessageAttributes.entry.{number}"
            asked |= {f"{entry}.Name": name, f"{entry}.Value.DataType": "String", f"{entry}.Value.StringValue": value}
        return asked


def accepted(document: str) -> Accepted | Unknown:
    return acceptance(element(document, "MessageId"))


def _credentials(got: str | Rejected | Busy | Unknown) -> Finding:
    match got:
        case str():
            return Finding("credentials", HealthWord.FINE)
        case Rejected(reason=reason, code=code) if reason in _key_faults:
            return Finding("credentials", HealthWord.FAULT, f"Amazon refuses our requests: {code}.")
        case Rejected(reason="permission"):
            return Finding("credentials", HealthWord.FINE, "The key is known; it may not look at the SMS settings.")
        case _:
            return Finding("credentials", HealthWord.UNKNOWN, "Amazon gave no usable answer.")


def _sandbox(got: str | Rejected | Busy | Unknown) -> Finding:
    word = element(got, "IsInSandbox").lower() if isinstance(got, str) else ""
    if word == "true":
        detail = "The account is in the SMS sandbox: only verified numbers get texts. Ask Amazon to move it out."
        return Finding("sandbox", HealthWord.FAULT, detail)
    if word == "false":
        return Finding("sandbox", HealthWord.FINE)
    return Finding("sandbox", HealthWord.UNKNOWN, "The key may not ask (sns:GetSMSSandboxAccountStatus).")


def _spending(got: str | Rejected | Busy | Unknown) -> Finding:
    try:
        limit = float(entries(got)["MonthlySpendLimit"]) if isinstance(got, str) else None
    except (KeyError, ValueError):
        limit = None
    if limit is None:
        return Finding("spending limit", HealthWord.UNKNOWN, "Amazon does not tell; a new account has 1 USD a month.")
    if limit <= _small_limit_usd:
        detail = f"{limit:g} USD a month is a few texts, then they are dropped in silence: ask Amazon to raise it."
        return Finding("spending limit", HealthWord.FAULT, detail)
    return Finding("spending limit", HealthWord.FINE, f"{limit:g} USD a month.")
