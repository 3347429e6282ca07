"""The emulator as a whole: signatures, versions and actions of both services on one port. Never decides for a phone."""

import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Unpack

from aiohttp import web

from simulators.emulating import Channel, Fault, FaultKind, General, VendorEmulator
from simulators.tencent import signature
from simulators.tencent.account import Account, Addresses
from simulators.tencent.answers import error, refuses_the_request, response, send_status
from simulators.tencent.calls import Calls
from simulators.tencent.texts import Texts
from simulators.tencent.windows import Counted, Windows

_services = {"2021-01-11": "sms", "2020-09-02": "vms"}
_package_life_s = 365 * 86_400
_asked: ContextVar[str] = ContextVar("asked")


class TencentEmulator(VendorEmulator):
    """A Tencent Cloud account on a local port; use with `async with`; further arguments as in `VendorEmulator`.

    windows: how often one number can be reached; None: without limit. lag_s: how long its list of reports trails.
    """

    def __init__(
        self,
        *,
        account: Account,
        addresses: Addresses | None = None,
        windows: Windows | None = None,
        **general: Unpack[General],
    ) -> None:
        super().__init__(**general)
        self.account = account
        self.addresses = addresses or Addresses()
        self.windows = windows
        self.counted = Counted(self.clock)
        self.lag_s = 0.0
        self.texts = Texts(self)
        self.calls = Calls(self)
        self._queries: Mapping[str, Callable[[Mapping[str, Any]], web.Response]] = {
            "PullSmsSendStatusByPhoneNumber": self.texts.pulled,
            "DescribeSmsTemplateList": self._templates,
            "DescribeSmsSignList": self._signs,
            "SmsPackagesStatistics": self._packages,
        }

    async def reset(self) -> None:
        """Forget what was sent as well."""
        await super().reset()
        self.counted.clear()
        self.texts.clear()

    async def answer(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        """A signed POST to `/`; the headers say what is asked."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        action, service = headers.get("x-tc-action", ""), _services.get(headers.get("x-tc-version", ""))
        _asked.set(action)
        if service is None:
            return error("NoSuchVersion")
        keys = {self.account.secret_id: self.account.secret_key}
        problem = signature.problem(headers, body, keys, service, self.clock())
        if problem is None and (request.method, request.path_qs) != ("POST", "/"):
            problem = "InvalidRequest"
        if problem is not None:
            return error(problem)
        if "x-tc-region" not in headers:
            return error("MissingParameter")
        try:
            asked = json.loads(body)
        except ValueError:
            return error("InvalidParameter")
        return (
            await self._act(request, service, action, asked) if isinstance(asked, dict) else error("InvalidParameter")
        )

    async def _act(
        self, request: web.BaseRequest, service: str, action: str, asked: Mapping[str, Any]
    ) -> web.StreamResponse:
        if (service, action) == ("sms", "SendSms"):
            return await self.create(request, self.texts.order(asked), lambda: self.texts.take(asked))
        if (service, action) == ("vms", "SendTtsVoice"):
            if "CalledNumber" not in asked:
                spoilt = await self.spoil_read(request, Channel.VOICE, None)
                return error("MissingParameter") if spoilt is None else spoilt
            return await self.create(request, self.calls.order(asked), lambda: self.calls.take(asked))
        query = self._queries.get(action) if service == "sms" else None
        if query is None:
            return error("InvalidAction")
        number = asked.get("PhoneNumber")
        spoilt = await self.spoil_read(request, Channel.SMS, number if isinstance(number, str) else None)
        return query(asked) if spoilt is None else spoilt

    def fault_answer(self, fault: Fault) -> web.StreamResponse:
        """A 429 or 500 comes from a gateway before Tencent; its own refusals stand inside a 200."""
        if fault.kind is FaultKind.STATUS_429:
            return error("RequestLimitExceeded", 429, {"Retry-After": fault.retry_after_header})
        if fault.kind is FaultKind.STATUS_500:
            return error("InternalError", 500)
        code = str(fault.code)
        if _asked.get("") == "SendSms" and not refuses_the_request(code):
            return response(SendStatusSet=[send_status(fault.number or "", "", code=code)])
        return error(code)

    def _templates(self, asked: Mapping[str, Any]) -> web.Response:
        wanted = asked.get("TemplateIdSet") or []
        rows = [
            {
                "TemplateId": int(number),
                "International": 0,
                "StatusCode": template.status,
                "ReviewReply": "",
                "TemplateName": f"template {number}",
                "CreateTime": 1_700_000_000,
                "TemplateContent": template.text,
            }
            for number, template in self.account.sms_templates.items()
            if int(number) in wanted
        ]
        return response(DescribeTemplateStatusSet=rows)

    def _signs(self, asked: Mapping[str, Any]) -> web.Response:
        rows = [
            {
                "SignId": number,
                "International": 0,
                "StatusCode": sign.status,
                "ReviewReply": "",
                "SignName": sign.name,
                "CreateTime": 1_700_000_000,
                "QualificationId": 1,
                "QualificationName": "",
                "QualificationStatusCode": 1,
            }
            for number, sign in enumerate(self.account.signs, 1)
        ]
        return response(DescribeSignListStatusSet=rows)

    def _packages(self, asked: Mapping[str, Any]) -> web.Response:
        texts = self.account.package_texts
        ends = int(self.clock().timestamp()) + _package_life_s
        row = {
            "PackageCreateTime": 1_700_000_000,
            "PackageEffectiveTime": 1_700_000_000,
            "PackageExpiredTime": ends,
            "PackageAmount": 2_000,
            "PackageType": 1,
            "PackageId": 1,
            "CurrentUsage": 2_000 - (texts or 0),
        }
        return response(SmsPackagesStatisticsSet=[] if texts is None else [row])
