"""The way of one SMS: sent, shown on a virtual phone, delivered, perhaps replied to.

Never answers the create request; that is done before a message starts on its way.
"""

import secrets
from collections.abc import Mapping

from devices.model import Channel
from simulators.emulating.callbacks import CallbackLine
from simulators.phone import PhoneEventKind, SmsFate, SmsReceived
from simulators.twilio import twiml
from simulators.twilio.callbacks import Wires
from simulators.twilio.store import Message, api_version, segments

error_validity_expired = 30036
stop_words = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
start_words = frozenset({"START", "UNSTOP", "YES"})


class MessageDriver:
    """Carries messages. inbound_url: where replies are posted; None = nobody listens."""

    def __init__(self, wires: Wires, inbound_url: str | None) -> None:
        self.inbound_url = inbound_url
        self._wires = wires

    async def run(self, message: Message) -> None:
        """From the queue to the last callback, and on to a reply if the phone's holder sends one."""
        behaviour = self._wires.phones.behaviour(message.to)
        line = self._wires.line(Channel.SMS, message.to, message.callback)
        await self._wires.pace.sleep(min(behaviour.sms_after_s, float(message.validity_s)))
        if behaviour.sms_after_s > message.validity_s:
            self._step(message, line, "failed", error_validity_expired)
        elif behaviour.sms is SmsFate.FAILED:
            self._step(message, line, "failed", behaviour.sms_error_code)
        else:
            self._deliver(message, line, behaviour.sms, behaviour.sms_error_code)
        if line is not None:
            line.finish()
            await line.drained()
        shown = message.status in ("sent", "delivered")
        if shown and behaviour.reply is not None:
            await self._wires.pace.sleep(behaviour.reply_after_s)
            await self.inbound(message.to, message.sender, behaviour.reply)

    async def inbound(self, sender: str, to: str, body: str) -> int | None:
        """A text from a phone to the service's number; the HTTP status that the webhook gave, if any.

        STOP and START words work as at Twilio and are passed on as well.
        """
        word = body.strip().upper()
        if word in stop_words:
            self._wires.phones.opted_out.add(sender)
        elif word in start_words:
            self._wires.phones.opted_out.discard(sender)
        sid = "SM" + secrets.token_hex(16)
        self._wires.phones.tell(PhoneEventKind.SMS_REPLIED, sender, sid, text=body)
        if self.inbound_url is None:
            return None
        params = self._params(sid, sender, to) | {
            "SmsMessageSid": sid,
            "SmsStatus": "received",
            "Body": body,
            "NumMedia": "0",
            "NumSegments": str(segments(body)),
        }
        answer = await self._wires.webhooks.fetch(self.inbound_url, params)
        if answer is None:
            return None
        self._show_answer(answer.text, sender, to)
        return answer.status

    def _show_answer(self, document: str, phone: str, service_number: str) -> None:
        if not document.strip():
            return
        try:
            texts = twiml.messages(document)
        except twiml.TwimlError as error:
            self._wires.webhooks.troubles.append(f"{self.inbound_url}: {error}")
            return
        for text in texts:
            sid = "SM" + secrets.token_hex(16)
            self._wires.phones.show_sms(SmsReceived(sid, phone, service_number, text, self._wires.clock()))

    def _deliver(
        self, message: Message, line: CallbackLine[Mapping[str, str]] | None, fate: SmsFate, error_code: int
    ) -> None:
        message.sent_at = self._wires.clock()
        self._step(message, line, "sent", None)
        if fate is SmsFate.UNDELIVERED:
            self._step(message, line, "undelivered", error_code)
            return
        self._wires.phones.show_sms(
            SmsReceived(message.sid, message.to, message.sender, message.body, message.sent_at, message.attempt)
        )
        if fate is SmsFate.DELIVERED:
            self._step(message, line, "delivered", None)

    def _step(
        self, message: Message, line: CallbackLine[Mapping[str, str]] | None, status: str, error_code: int | None
    ) -> None:
        message.status = status
        message.error_code = error_code
        message.updated_at = self._wires.clock()
        if line is None:
            return
        params = self._params(message.sid, message.sender, message.to)
        params["MessageStatus"] = params["SmsStatus"] = status
        if error_code is not None:
            params["ErrorCode"] = str(error_code)
        if message.service_sid is not None:
            params["MessagingServiceSid"] = message.service_sid
        line.post(params)

    def _params(self, sid: str, sender: str, to: str) -> dict[str, str]:
        return {
            "AccountSid": self._wires.account_sid,
            "ApiVersion": api_version,
            "From": sender,
            "MessageSid": sid,
            "SmsSid": sid,
            "To": to,
        }
