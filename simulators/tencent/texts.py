"""Texts at Tencent: what is refused, what a phone shows, which receipts go out, what can be asked afterwards."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from simulators.emulating import CallbackLine, Channel, Order, Refused, Taken
from simulators.phone import PhoneEventKind, SmsFate, SmsReceived
from simulators.tencent.answers import error, response, send_status
from simulators.tencent.windows import china

if TYPE_CHECKING:
    from simulators.tencent.emulator import TencentEmulator

numbers_max = 200
text_chars_max = 500
pulled_max = 100
sender = "10690000"
_failed_word = "MK:0001"


@dataclass(frozen=True, slots=True)
class Text:
    """One text to one number that was taken."""

    serial: str
    number: str
    body: str
    context: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """What the carrier said of a text. listed: of the monotonic clock."""

    text: Text
    fine: bool
    at: datetime
    listed: float


class Texts:
    """The text service of one account."""

    def __init__(self, emulator: "TencentEmulator") -> None:
        self._emulator = emulator
        self._reports: list[Report] = []

    def clear(self) -> None:
        """Forget all."""
        self._reports.clear()

    def order(self, asked: Mapping[str, Any]) -> Order:
        """What was asked, as the ledger keeps it."""
        numbers = _strings(asked.get("PhoneNumberSet"))
        template = self._emulator.account.sms_templates.get(str(asked.get("TemplateId")))
        values = _strings(asked.get("TemplateParamSet"))
        text = template.filled(values) if template is not None and template.problem(values) is None else ""
        context = asked.get("SessionContext")
        return Order(
            Channel.SMS, numbers[0] if numbers else None, sender, text, context if isinstance(context, str) else None
        )

    def take(self, asked: Mapping[str, Any]) -> Taken | Refused:
        """Every number gets its own word."""
        numbers = _strings(asked.get("PhoneNumberSet"))
        whole = self._problem_of_request(asked, numbers)
        if whole is not None:
            return Refused(whole, error(whole))
        values, context = _strings(asked.get("TemplateParamSet")), str(asked.get("SessionContext") or "")
        template = self._emulator.account.sms_templates.get(str(asked["TemplateId"]))
        sign = f"【{asked.get('SignName', '')}】"
        taken: list[Text] = []
        told: list[dict[str, object]] = []
        for number in numbers:
            body = sign + template.filled(values) if template and template.problem(values) is None else ""
            code = self._problem(asked, number, body)
            if code is None:
                text = Text(_serial(), number, body, context, self._emulator.clock())
                self._emulator.counted.text(number, body)
                taken.append(text)
                told.append(send_status(number, context, serial=text.serial))
            else:
                told.append(send_status(number, context, code=code))
        answer = response(SendStatusSet=told)
        if not taken:
            return Refused(str(told[0]["Code"]), answer)
        return Taken(taken[0].serial, answer, self._carry(taken))

    def pulled(self, asked: Mapping[str, Any]) -> web.Response:
        """PullSmsSendStatusByPhoneNumber: only what a carrier has reported on."""
        begins, number = asked.get("BeginTime"), asked.get("PhoneNumber")
        if not isinstance(begins, int) or not isinstance(number, str):
            return error("MissingParameter")
        ends = asked.get("EndTime")
        until = ends if isinstance(ends, int) else 1 << 40
        seen = time.monotonic() - self._emulator.lag_s
        found = [
            self._row(report)
            for report in self._reports
            if report.text.number == number and begins <= report.text.at.timestamp() <= until and report.listed <= seen
        ]
        return response(PullSmsSendStatusSet=found[:pulled_max])

    def _problem_of_request(self, asked: Mapping[str, Any], numbers: list[str]) -> str | None:
        if not numbers:
            return "MissingParameter.EmptyPhoneNumberSet"
        if len(numbers) > numbers_max:
            return "LimitExceeded.PhoneNumberCountLimit"
        if not isinstance(asked.get("TemplateId"), str):
            return "MissingParameter"
        return None

    def _problem(self, asked: Mapping[str, Any], number: str, body: str) -> str | None:
        account = self._emulator.account
        if asked.get("SmsSdkAppId") != account.sms_app_id:
            return "UnauthorizedOperation.SmsSdkAppIdVerifyFail"
        if not any(sign.name == asked.get("SignName") and sign.status == 0 for sign in account.signs):
            return "FailedOperation.SignatureIncorrectOrUnapproved"
        template = account.sms_templates.get(str(asked.get("TemplateId")))
        if template is None:
            return "FailedOperation.TemplateUnapprovedOrNotExist"
        problem = template.problem(_strings(asked.get("TemplateParamSet")))
        if problem is not None:
            return problem
        if not number.startswith("+86") or len(number) != len("+8613800000000") or not number[1:].isdecimal():
            return "InvalidParameterValue.IncorrectPhoneNumber"
        if len(body) > text_chars_max:
            return "InvalidParameterValue.ContentLengthLimit"
        if number in self._emulator.phones.opted_out:
            return "FailedOperation.PhoneNumberInBlacklist"
        windows = self._emulator.windows
        return None if windows is None else self._emulator.counted.text_problem(number, body, windows)

    async def _carry(self, texts: list[Text]) -> None:
        for text in texts:
            await self._deliver(text)

    async def _deliver(self, text: Text) -> None:
        emulator = self._emulator
        behaviour = emulator.phones.behaviour(text.number)
        await emulator.pace.sleep(behaviour.sms_after_s)
        shown = behaviour.sms in (SmsFate.DELIVERED, SmsFate.SENT_ONLY)
        now = emulator.clock()
        if shown:
            context = text.context or None
            emulator.phones.show_sms(SmsReceived(text.serial, text.number, sender, text.body, now, context))
        if behaviour.sms is not SmsFate.SENT_ONLY:
            await self._report(Report(text, shown, now, time.monotonic()))
        if shown and behaviour.reply is not None:
            await emulator.pace.sleep(behaviour.reply_after_s)
            await self.reply(text.number, behaviour.reply)

    async def reply(self, number: str, words: str) -> None:
        """A person answers the last text."""
        emulator = self._emulator
        emulator.phones.tell(PhoneEventKind.SMS_REPLIED, number, "", text=words)
        if emulator.addresses.up is None:
            return
        told = {
            "extend": "",
            "mobile": number.removeprefix("+86"),
            "nationcode": "86",
            "sign": emulator.account.signs[0].name,
            "text": words,
            "time": int(emulator.clock().timestamp()),
        }
        await emulator.poster.post_json(emulator.addresses.up, told)

    async def _report(self, report: Report) -> None:
        emulator, text = self._emulator, report.text
        self._reports.append(report)
        address = emulator.addresses.sms
        if address is None:
            return

        async def send(word: dict[str, object]) -> None:
            await emulator.poster.post_json(address, [word])

        line = CallbackLine(Channel.SMS, text.number, emulator.faults, emulator.background, send)
        line.post(self._told(report))
        line.finish()
        await line.drained()

    def _told(self, report: Report) -> dict[str, object]:
        text = report.text
        told: dict[str, object] = {
            "user_receive_time": f"{report.at.astimezone(china):%Y-%m-%d %H:%M:%S}",
            "nationcode": "86",
            "mobile": text.number.removeprefix("+86"),
            "report_status": "SUCCESS" if report.fine else "FAIL",
            "errmsg": "DELIVRD" if report.fine else _failed_word,
            "description": "用户短信送达成功" if report.fine else "用户短信送达失败",
            "sid": text.serial,
        }
        return told | ({"ext": text.context} if self._emulator.account.returns_context else {})

    def _row(self, report: Report) -> dict[str, object]:
        text = report.text
        return {
            "UserReceiveTime": int(report.at.timestamp()),
            "CountryCode": "86",
            "SubscriberNumber": text.number.removeprefix("+86"),
            "PhoneNumber": text.number,
            "SerialNo": text.serial,
            "ReportStatus": "SUCCESS" if report.fine else "FAIL",
            "Description": "DELIVRD" if report.fine else _failed_word,
            "SessionContext": text.context if self._emulator.account.returns_context else "",
        }


def _strings(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _serial() -> str:
    return f"5000:{secrets.randbelow(10**28):028d}"
