"""Answers in Alibaba's shapes. A product's refusal stands inside an HTTP 200; the gateway's under 4xx. Never sends."""

import re
from datetime import datetime, timedelta, timezone
from uuid import uuid4

from aiohttp import web

from simulators.emulating.vendor import Refused, json_response

_china = timezone(timedelta(hours=8))
_mobile = re.compile(r"1[0-9]{10}")  # 10... is nobody's: the made-up people of our stories have such numbers
_gateway_status = {
    "InvalidAccessKeyId.NotFound": 404,
    "InvalidAction.NotFound": 404,
    "Forbidden.RAM": 403,
    "InternalError": 500,
    "ServiceUnavailable": 503,
}


def request_id() -> str:
    """As Alibaba prints them."""
    return str(uuid4()).upper()


def china_time(moment: datetime) -> str:
    """Alibaba writes China's wall clock without saying so."""
    return f"{moment.astimezone(_china):%Y-%m-%d %H:%M:%S}"


def mainland(number: str) -> str | None:
    """Eleven digits of a mainland mobile as our phones are called; None for anything else."""
    return f"+86{number}" if _mobile.fullmatch(number) else None


def fine(**fields: str) -> web.Response:
    """Taken."""
    return json_response({"Code": "OK", "Message": "OK", "RequestId": request_id(), **fields})


def refusal(code: str, message: str = "") -> Refused:
    """A product's word, or the gateway's."""
    return Refused(code, refused(code, message))


def refused(code: str, message: str = "", status: int | None = None) -> web.Response:
    """The answer itself."""
    body = {"Code": code, "Message": message or code, "RequestId": request_id()}
    if code.startswith(("isv.", "isp.")):
        return json_response(body, 200 if status is None else status)
    body |= {"HostId": "127.0.0.1", "Recommend": f"https://api.aliyun.com/troubleshoot?q={code}"}
    return json_response(body, _gateway_status.get(code, 400) if status is None else status)
