"""One signed question to Tencent Cloud and what its answer means. Never repeats one, never logs a body."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from alerting.channels.base import Busy, Rejected, Unknown
from alerting.channels.http import Answer, VendorHttp
from alerting.channels.providers.tencent_errors import answer_to
from alerting.channels.providers.tencent_settings import TencentSettings
from alerting.channels.providers.tencent_signing import Action, headers

Response = Mapping[str, Any]
"""What stands under `Response` when there is no error."""

_sms, _voice = ("sms", "2021-01-11"), ("vms", "2020-09-02")


class TencentAccount:
    """One account's pooled client, shared by its channels."""

    def __init__(self, settings: TencentSettings) -> None:
        self.settings = settings
        self.http = VendorHttp()
        self._credentials = settings.credentials

    async def sms(
        self, name: str, asked: Mapping[str, object], deadline_s: float
    ) -> Response | Rejected | Busy | Unknown:
        """An operation of the text service."""
        return await self._ask(self.settings.sms_base_url, _sms, name, asked, deadline_s)

    async def voice(
        self, name: str, asked: Mapping[str, object], deadline_s: float
    ) -> Response | Rejected | Busy | Unknown:
        """An operation of the voice service."""
        return await self._ask(self.settings.voice_base_url, _voice, name, asked, deadline_s)

    async def _ask(
        self, base_url: str, service: tuple[str, str], name: str, asked: Mapping[str, object], deadline_s: float
    ) -> Response | Rejected | Busy | Unknown:
        settings = self.settings
        action = Action(service[0], name, service[1], settings.region)
        body = msgspec.json.encode(asked)
        sent = headers(self._credentials, action, urlsplit(base_url).netloc, body, settings.now())
        got = await self.http.exchange("POST", f"{base_url}/", deadline_s=deadline_s, headers=sent, body=body)
        return read(got) if isinstance(got, Answer) else got


def read(answer: Answer) -> Response | Rejected | Busy | Unknown:
    """Tencent answers 200 to everything it understands: the refusal stands inside."""
    try:
        document = answer.json()
    except ValueError:
        return Unknown("unreadable_answer")
    response = document.get("Response") if isinstance(document, dict) else None
    if not isinstance(response, dict):
        return Unknown("unreadable_answer")
    error = response.get("Error")
    if error is None:
        return response
    code = error.get("Code") if isinstance(error, dict) else None
    return answer_to(code) if isinstance(code, str) else Unknown("unreadable_answer")
