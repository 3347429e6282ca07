"""An Alibaba Cloud account on a local port: texts, calls, billing; checks signatures, pushes receipts, fails on demand.

Never reaches beyond the machine it runs on, except to push to the addresses it was given.
"""

import time
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Unpack
from urllib.parse import parse_qsl

from aiohttp import web

from devices.model import Channel
from simulators.aliyun.calls import Calls, products
from simulators.aliyun.catalog import Catalog, Registered
from simulators.aliyun.limits import Limit, Limits
from simulators.aliyun.shapes import mainland, refused, request_id
from simulators.aliyun.signing import Gate
from simulators.aliyun.texts import Texts
from simulators.emulating.callbacks import CallbackLine
from simulators.emulating.faults import Fault, FaultKind
from simulators.emulating.vendor import General, VendorEmulator, json_response

messages_version = "2017-05-25"
balance_version = "2017-12-14"
push_again_after_s = (60.0, 300.0, 600.0)
"""Seconds of the story; then never again."""
params_max = 64


class AliyunEmulator(VendorEmulator):
    """Use with `async with`; further arguments as in `VendorEmulator`.

    push: where receipts and replies are pushed, by `sms`, `voice`, `up`; may be filled once the service has its port.
    text_limits, call_limits: Alibaba's own are (50 a day) and (1 a minute, 5 an hour, 20 a day); none by default.
    call_states: does it push VoiceCallReport too? dial_s: until a phone rings.
    """

    def __init__(
        self,
        *,
        access_key_id: str,
        access_key_secret: str,
        push: Mapping[str, str] | None = None,
        text_limits: Sequence[Limit] = (),
        call_limits: Sequence[Limit] = (),
        call_states: bool = True,
        dial_s: float = 1.0,
        balance: str = "1,234.56",
        **general: Unpack[General],
    ) -> None:
        super().__init__(**general)
        self.monotonic = time.monotonic
        self.catalog = Catalog()
        self.push = dict(push or {})
        self.call_states = call_states
        self.dial_s = dial_s
        self.balance = balance
        self._text_limits, self._call_limits = Limits(text_limits), Limits(call_limits)
        self.texts = Texts(self, self.catalog, self._text_limits)
        self.calls = Calls(self, self.catalog, self._call_limits)
        self._gate = Gate(access_key_id, access_key_secret)
        self._numbers = count(1)

    def reference(self) -> str:
        """A BizId or CallId."""
        return f"{100_000_000_000 + next(self._numbers)}^{int(self.clock().timestamp() * 1_000) % 10**12}"

    def sequence(self) -> int:
        """A number for a reply."""
        return next(self._numbers)

    def line(self, kind: str, channel: Channel, number: str) -> CallbackLine[object]:
        """Where one resource's pushes go, in order; nowhere when nobody listens."""

        async def send(rows: object) -> None:
            url = self.push.get(kind)
            if url is None or await self.poster.post_json(url, rows) is not None:
                return
            for wait_s in push_again_after_s:
                await self.pace.sleep(wait_s)
                if await self.poster.post_json(url, rows) is not None:
                    return

        return CallbackLine(channel, number, self.faults, self.background, send)

    async def reset(self) -> None:
        """Forget what was sent and called; what is registered stays."""
        await super().reset()
        self.texts.taken.clear()
        self.calls.clear()
        self._text_limits.clear()
        self._call_limits.clear()
        self._gate.forget()

    def fault_answer(self, fault: Fault) -> web.StreamResponse:
        """In Alibaba's words; a 200 for what its products refuse."""
        if fault.kind is FaultKind.STATUS_429:
            answer = refused("Throttling.User", "Request was denied due to user flow control.", 429)
            answer.headers["Retry-After"] = fault.retry_after_header
            return answer
        return refused("InternalError") if fault.kind is FaultKind.STATUS_500 else refused(str(fault.code))

    async def answer(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        """Any request. The gateway first, then the products."""
        raw_query = request.rel_url.raw_query_string
        error = self._gate.check(request.method, raw_query, request.headers, body, self.clock())
        if error is not None:
            return refused(error.code, error.message, error.status)
        try:
            pairs = parse_qsl(raw_query, keep_blank_values=True, max_num_fields=params_max)
            pairs += parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=params_max)
        except ValueError:
            return refused("InvalidParameter", "The parameters cannot be read.")
        action, version = request.headers["x-acs-action"], request.headers["x-acs-version"]
        wanted = balance_version if action == "QueryAccountBalance" else messages_version
        if version != wanted:
            return refused("InvalidVersion", "Specified parameter Version is not valid.")
        return await self._do(request, action, dict(pairs))

    async def _do(self, request: web.BaseRequest, action: str, params: Mapping[str, str]) -> web.StreamResponse:
        if action == "SendSms":
            return await self.create(request, self.texts.order(params), lambda: self.texts.take(params))
        if action in products:
            return await self.create(request, self.calls.order(action, params), lambda: self.calls.take(action, params))
        number = mainland(params.get("PhoneNumber", ""))
        channel = Channel.VOICE if action == "QueryCallDetailByCallId" else Channel.SMS
        spoilt = await self.spoil_read(request, channel, number)
        if spoilt is not None:
            return spoilt
        match action:
            case "QuerySendDetails":
                return json_response(self.texts.details(params))
            case "QueryCallDetailByCallId":
                detail = self.calls.detail(params)
                return refused("100008", "Data not available.", 400) if detail is None else json_response(detail)
            case "QuerySmsSign":
                return _sign(params.get("SignName", ""), self.catalog.signs)
            case "QuerySmsTemplate":
                return _template(params.get("TemplateCode", ""), self.catalog.texts)
            case "QueryAccountBalance":
                data = {"AvailableAmount": self.balance, "Currency": "CNY"}
                return json_response({"Code": "Success", "Message": "Successful!", "Success": True, "Data": data})
        return refused("InvalidAction.NotFound", "Specified api is not found, please check your url and method.")


def _sign(name: str, signs: Mapping[str, Registered]) -> web.Response:
    sign = signs.get(name)
    if sign is None:
        return refused("isv.SMS_SIGNATURE_ILLEGAL")
    told = {"SignName": name, "SignStatus": sign.status, "Reason": ""}
    return json_response({"Code": "OK", "Message": "OK", "RequestId": request_id(), **told})


def _template(code: str, texts: Mapping[str, Registered]) -> web.Response:
    text = texts.get(code)
    if text is None:
        return refused("isv.SMS_TEMPLATE_ILLEGAL")
    told = {
        "TemplateCode": code,
        "TemplateContent": text.text,
        "TemplateName": code,
        "TemplateStatus": text.status,
        "TemplateType": 1,
        "Reason": "",
    }
    return json_response({"Code": "OK", "Message": "OK", "RequestId": request_id(), **told})
