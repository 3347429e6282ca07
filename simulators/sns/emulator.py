"""The emulator as a whole: signed forms in, small XML documents out, texts on phones. Like SNS it reports nothing."""

import uuid
from typing import Unpack
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from aiohttp import web

from simulators.emulating import Channel, Fault, FaultKind, General, Order, Refused, Taken, VendorEmulator
from simulators.phone import SmsFate, SmsReceived
from simulators.sns import signature

version = "2010-03-31"
text_bytes_max = 1_600
namespace = "http://sns.amazonaws.com/doc/2010-03-31/"
_statuses = {"InternalError": 500, "AuthorizationError": 403, "InvalidClientTokenId": 403, "SignatureDoesNotMatch": 403}
_messages = {
    "PhoneNumber": "Invalid parameter: PhoneNumber Reason: {number} is not valid to publish to",
    "OptedOut": "Invalid parameter: PhoneNumber Reason: {number} is opted out",
    "TooLong": "Invalid parameter: Message too long",
    "Empty": "Invalid parameter: Empty message",
}


class SnsEmulator(VendorEmulator):
    """One access key on a local port; use with `async with`; further arguments as in `VendorEmulator`.

    in_sandbox: only numbers in `verified` get texts. monthly_limit_usd: None: never set, so Amazon does not tell.
    """

    def __init__(
        self,
        *,
        access_key_id: str,
        secret_access_key: str,
        in_sandbox: bool = False,
        monthly_limit_usd: int | None = 100,
        **general: Unpack[General],
    ) -> None:
        super().__init__(**general)
        self.in_sandbox = in_sandbox
        self.verified: set[str] = set()
        self.monthly_limit_usd = monthly_limit_usd
        self.may_ask = True
        """False: the key may publish, and nothing else."""
        self._keys = {access_key_id: secret_access_key}

    async def answer(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        """A signed form posted to `/`; `Action` says what is asked."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        problem = signature.problem(headers, body, self._keys, self.clock())
        if problem is not None:
            return error(problem, "said by the emulator", 403)
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        if form.get("Version") != version or (request.method, request.path_qs) != ("POST", "/"):
            return error("InvalidAction", "said by the emulator")
        action = form.get("Action")
        if action == "Publish":
            order = Order(
                Channel.SMS,
                form.get("PhoneNumber"),
                attributes(form).get("AWS.SNS.SMS.SenderID"),
                form.get("Message", ""),
            )
            return await self.create(request, order, lambda: self._take(form))
        spoilt = await self.spoil_read(request, Channel.SMS, None)
        if spoilt is not None:
            return spoilt
        if not self.may_ask:
            return error("AuthorizationError", "said by the emulator", 403)
        if action == "GetSMSSandboxAccountStatus":
            return answer_to(action, f"<IsInSandbox>{str(self.in_sandbox).lower()}</IsInSandbox>")
        if action == "GetSMSAttributes":
            return answer_to(action, f"<attributes>{self._attributes()}</attributes>")
        return error("InvalidAction", "said by the emulator")

    def fault_answer(self, fault: Fault) -> web.StreamResponse:
        """Amazon's own shapes."""
        if fault.kind is FaultKind.STATUS_429:
            return error("Throttled", "said by the emulator", 429, {"Retry-After": fault.retry_after_header})
        if fault.kind is FaultKind.STATUS_500:
            return error("InternalError", "said by the emulator", 500)
        code = str(fault.code)
        return error(code, "said by the emulator", _statuses.get(code, fault.status))

    def _take(self, form: dict[str, str]) -> Taken | Refused:
        number, text = form.get("PhoneNumber", ""), form.get("Message", "")
        digits = number.removeprefix("+")
        if number == digits or not digits.isdecimal() or not 7 <= len(digits) <= 15:
            return self._refused("PhoneNumber", number)
        if number in self.phones.opted_out:
            return self._refused("OptedOut", number)
        if not text:
            return self._refused("Empty", number)
        if len(text.encode()) > text_bytes_max:
            return self._refused("TooLong", number)
        if self.in_sandbox and number not in self.verified:
            return Refused("UserError", error("UserError", "Phone number is not verified"))
        reference = str(uuid.uuid4())
        good = answer_to("Publish", f"<MessageId>{reference}</MessageId>")
        return Taken(reference, good, self._deliver(reference, number, text, attributes(form)))

    def _refused(self, what: str, number: str) -> Refused:
        code = "InvalidParameter"
        return Refused(code, error(code, _messages[what].format(number=number)))

    async def _deliver(self, reference: str, number: str, text: str, told: dict[str, str]) -> None:
        behaviour = self.phones.behaviour(number)
        await self.pace.sleep(behaviour.sms_after_s)
        if behaviour.sms in (SmsFate.DELIVERED, SmsFate.SENT_ONLY):
            sender = told.get("AWS.SNS.SMS.SenderID", "NOTICE")
            self.phones.show_sms(SmsReceived(reference, number, sender, text, self.clock()))

    def _attributes(self) -> str:
        told = {"DefaultSMSType": "Promotional"}
        if self.monthly_limit_usd is not None:
            told["MonthlySpendLimit"] = str(self.monthly_limit_usd)
        return "".join(f"<entry><key>{key}</key><value>{value}</value></entry>" for key, value in told.items())


def attributes(form: dict[str, str]) -> dict[str, str]:
    """The message attributes of a form, by name."""
    found = {}
    for number in range(1, 11):
        name = form.get(f"MessageAttributes.entry.{number}.Name")
        if name is not None:
            found[name] = form.get(f"MessageAttributes.entry.{number}.Value.StringValue", "")
    return found


def answer_to(action: str, inner: str) -> web.Response:
    """A good answer."""
    body = (
        f'<{action}Response xmlns="{namespace}"><{action}Result>{inner}</{action}Result>'
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{action}Response>"
    )
    return web.Response(text=body, content_type="text/xml")


def error(code: str, message: str, status: int = 400, headers: dict[str, str] | None = None) -> web.Response:
    """A refusal."""
    body = (
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>Sender</Type><Code>{escape(code)}</Code>'
        f"<Message>{escape(message)}</Message></Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return web.Response(text=body, status=status, headers=headers, content_type="text/xml")
