"""Texts: SendSms and QuerySendDetails, receipts (SmsReport) and replies (SmsUp). Shapes as Alibaba's pages give them.

Never answers before the request was let in; the emulator's gate does that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from devices.model import Channel
from simulators.aliyun.catalog import Catalog, Filled, fill
from simulators.aliyun.limits import Limits
from simulators.aliyun.shapes import china_time, fine, mainland, refusal, request_id
from simulators.emulating.vendor import Order, Refused, Taken
from simulators.phone import Behaviour, PhoneEventKind, SmsFate, SmsReceived

if TYPE_CHECKING:
    from simulators.aliyun.emulator import AliyunEmulator

status_waiting, status_failed, status_delivered = 1, 2, 3
out_id_bytes_max = 256


@dataclass(slots=True)
class Text:
    """One text that was taken."""

    biz_id: str
    number: str
    """As our own phones are called: +86..."""
    words: str
    template_code: str
    out_id: str
    sent_at: datetime
    visible_from: float
    status: int = status_waiting
    error: str = ""
    received_at: datetime | None = None

    def record(self) -> dict[str, object]:
        """A row of QuerySendDetails."""
        return {
            "Content": self.words,
            "ErrCode": self.error,
            "OutId": self.out_id,
            "PhoneNum": self.number.removeprefix("+86"),
            "ReceiveDate": "" if self.received_at is None else china_time(self.received_at),
            "SendDate": china_time(self.sent_at),
            "SendStatus": self.status,
            "TemplateCode": self.template_code,
        }


class Texts:
    """The text service of one account. list_lag_s: a record shows up only after so long."""

    def __init__(self, emulator: "AliyunEmulator", catalog: Catalog, limits: Limits) -> None:
        self.list_lag_s = 0.0
        self.taken: list[Text] = []
        self._emulator = emulator
        self._catalog = catalog
        self._limits = limits

    def order(self, params: Mapping[str, str]) -> Order:
        """As the ledger wants it."""
        number = mainland(params.get("PhoneNumbers", ""))
        filled = self._filled(params)
        words = filled.text if isinstance(filled, Filled) else ""
        return Order(Channel.SMS, number, params.get("SignName"), words, params.get("OutId") or None)

    def take(self, params: Mapping[str, str]) -> Taken | Refused:
        """SendSms, in Alibaba's order: number, signature, template, variables, limits."""
        number = mainland(params.get("PhoneNumbers", ""))
        if number is None:
            return refusal("isv.MOBILE_NUMBER_ILLEGAL")
        sign = self._catalog.signs.get(params.get("SignName", ""))
        if sign is None or sign.status != 1:
            return refusal("isv.SMS_SIGNATURE_ILLEGAL")
        filled = self._filled(params)
        if isinstance(filled, str):
            return refusal(filled)
        if len(params.get("OutId", "").encode()) > out_id_bytes_max:
            return refusal("isv.INVALID_PARAMETERS")
        emulator = self._emulator
        code = params.get("TemplateCode", "")
        broken = self._limits.ask(f"{number}|{code}", emulator.monotonic())
        if broken is not None:
            return refusal("isv.BUSINESS_LIMIT_CONTROL", broken.message)
        text = Text(
            biz_id=emulator.reference(),
            number=number,
            words=filled.text,
            template_code=code,
            out_id=params.get("OutId", ""),
            sent_at=emulator.clock(),
            visible_from=emulator.monotonic() + self.list_lag_s,
        )
        self.taken.append(text)
        return Taken(text.biz_id, fine(BizId=text.biz_id), self._run(text, params.get("SignName", "")))

    def details(self, params: Mapping[str, str]) -> dict[str, object]:
        """QuerySendDetails: one number, one day of China's, perhaps one BizId."""
        number, day = mainland(params.get("PhoneNumber", "")), params.get("SendDate", "")
        now = self._emulator.monotonic()
        found = [
            text.record()
            for text in reversed(self.taken)
            if text.number == number
            and text.visible_from <= now
            and china_time(text.sent_at).replace("-", "").startswith(day)
            and params.get("BizId") in (None, "", text.biz_id)
        ]
        size, page = int(params.get("PageSize", "10")), int(params.get("CurrentPage", "1"))
        return {
            "Code": "OK",
            "Message": "OK",
            "RequestId": request_id(),
            "SmsSendDetailDTOs": {"SmsSendDetailDTO": found[(page - 1) * size : page * size]},
            "TotalCount": str(len(found)),
        }

    async def _run(self, text: Text, sign: str) -> None:
        emulator = self._emulator
        behaviour = emulator.phones.behaviour(text.number)
        await emulator.pace.sleep(behaviour.sms_after_s)
        text.received_at = emulator.clock()
        shown = behaviour.sms in (SmsFate.DELIVERED, SmsFate.SENT_ONLY)
        if shown:
            words = text.words
            emulator.phones.show_sms(
                SmsReceived(text.biz_id, text.number, sign, words, emulator.clock(), text.out_id or None)
            )
        if behaviour.sms is not SmsFate.SENT_ONLY:
            delivered = behaviour.sms is SmsFate.DELIVERED
            text.status = status_delivered if delivered else status_failed
            text.error = "DELIVERED" if delivered else "UNDELIV"
            line = emulator.line("sms", Channel.SMS, text.number)
            line.post([self._report(text, delivered)])
            line.finish()
            await line.drained()
        if shown and behaviour.reply is not None:
            await self._reply(text, behaviour, sign)

    async def _reply(self, text: Text, behaviour: Behaviour, sign: str) -> None:
        emulator = self._emulator
        await emulator.pace.sleep(behaviour.reply_after_s)
        await self.inbound(text.number, behaviour.reply or "", sign)

    async def inbound(self, number: str, words: str, sign: str = "") -> None:
        """A person texts us."""
        emulator = self._emulator
        reference = emulator.reference()
        emulator.phones.tell(PhoneEventKind.SMS_REPLIED, number, reference, text=words)
        line = emulator.line("up", Channel.SMS, number)
        line.post(
            [
                {
                    "phone_number": number.removeprefix("+86"),
                    "send_time": china_time(emulator.clock()),
                    "content": words,
                    "sign_name": sign,
                    "dest_code": "1234",
                    "sequence_id": emulator.sequence(),
                }
            ]
        )
        line.finish()
        await line.drained()

    def _report(self, text: Text, delivered: bool) -> dict[str, object]:
        return {
            "phone_number": text.number.removeprefix("+86"),
            "send_time": china_time(text.sent_at),
            "report_time": china_time(text.received_at or text.sent_at),
            "success": delivered,
            "err_code": text.error,
            "err_msg": "用户接收成功" if delivered else "短信发送失败",
            "sms_size": "1",
            "biz_id": text.biz_id,
            "out_id": text.out_id,
        }

    def _filled(self, params: Mapping[str, str]) -> Filled | str:
        template = self._catalog.texts.get(params.get("TemplateCode", ""))
        filled = fill(template, params.get("TemplateParam"), missing="isv.SMS_TEMPLATE_ILLEGAL")
        return Filled(f"【{params.get('SignName', '')}】{filled.text}") if isinstance(filled, Filled) else filled
