"""Tencent's shapes: everything is a 200 with `Response`, refusals too. Knows no request."""

import secrets

from aiohttp import web

from simulators.emulating import json_response

_whole_request = ("AuthFailure", "RequestLimitExceeded", "InvalidAction", "NoSuchVersion", "MissingParameter")
"""Codes that refuse the request as a whole, whatever number it was for."""


def response(**fields: object) -> web.Response:
    """A good answer."""
    return json_response({"Response": {**fields, "RequestId": _request_id()}})


def error(code: str, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A refusal of the request as a whole."""
    body = {
        "Response": {"Error": {"Code": code, "Message": f"{code} (said by the emulator)"}, "RequestId": _request_id()}
    }
    return json_response(body, status, headers)


def send_status(number: str, context: str, *, serial: str = "", code: str = "Ok") -> dict[str, object]:
    """The word on one number of a SendSms."""
    return {
        "SerialNo": serial,
        "PhoneNumber": number,
        "Fee": 1 if serial else 0,
        "SessionContext": context,
        "Code": code,
        "Message": "send success" if serial else f"{code} (said by the emulator)",
        "IsoCode": "CN",
    }


def refuses_the_request(code: str) -> bool:
    """Not a word on one number."""
    return code.startswith(_whole_request)


def _request_id() -> str:
    text = secrets.token_hex(16)
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
