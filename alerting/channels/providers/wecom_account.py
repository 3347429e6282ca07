"""One WeCom app: its access token and its calls, over one shared client.

Repeats a call only when the token was refused: then certainly nothing was sent.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from alerting.channels.base import Rejected, Scope, Unknown
from alerting.channels.forms import form
from alerting.channels.http import Answer, VendorHttp
from alerting.channels.providers.wecom_errors import STALE_TOKEN, answer_to
from alerting.channels.providers.wecom_settings import WecomSettings
from alerting.channels.tokens import AccessToken, Failed, Fresh, Told, with_token

_JSON = {"Content-Type": "application/json; charset=utf-8"}


class WecomAccount:
    """`call` answers with WeCom's document or with what stood in the way; it never raises for what WeCom does."""

    def __init__(self, settings: WecomSettings) -> None:
        self.settings = settings
        self._http = VendorHttp()
        self._http.join()
        self._token = AccessToken(self._fetch)

    async def call(
        self, method: str, path: str, deadline_s: float, *, query: Mapping[str, str] | None = None, body: Any = None
    ) -> Told | Failed:
        """`path` below `/cgi-bin/`. Within `deadline_s`, the token included."""
        document = b"" if body is None else msgspec.json.encode(body)

        async def ask(token: str, left_s: float) -> Told | Failed:
            return await self._ask(method, path, {"access_token": token, **(query or {})}, document, left_s)

        return await with_token(self._token, deadline_s, _stale, ask)

    async def close(self) -> None:
        """A second call does nothing."""
        await self._token.close()
        await self._http.leave()

    async def _fetch(self, deadline_s: float) -> Fresh | Failed:
        asked = {"corpid": self.settings.corp_id, "corpsecret": self.settings.secret}
        told = await self._ask("GET", "gettoken", asked, b"", deadline_s)
        if not isinstance(told, dict):
            return told
        value, lives_s = told.get("access_token"), told.get("expires_in")
        if not isinstance(value, str) or not value or not isinstance(lives_s, int):
            return Unknown("unreadable_answer")
        return Fresh(value, float(lives_s))

    async def _ask(
        self, method: str, path: str, query: Mapping[str, str], body: bytes, deadline_s: float
    ) -> Told | Failed:
        url = f"{self.settings.base_url}/cgi-bin/{path}?{form(query)}"
        headers = _JSON if body else {}
        answer = await self._http.exchange(method, url, deadline_s=max(0.0, deadline_s), headers=headers, body=body)
        return _read(answer) if isinstance(answer, Answer) else answer


_stale = frozenset(map(str, STALE_TOKEN))


def _read(answer: Answer) -> Told | Failed:
    """WeCom says everything in the body of a 200. Another status comes from a machine in between."""
    try:
        told = answer.json()
    except ValueError:
        told = None
    errcode = told.get("errcode") if isinstance(told, dict) else None
    if isinstance(told, dict) and type(errcode) is int:
        return told if errcode == 0 else answer_to(errcode)
    if 400 <= answer.status < 500:
        return Rejected(f"http_{answer.status}", Scope.ACCOUNT)
    return Unknown("unreadable_answer")
