"""One DingTalk app: its access token and its calls, over one shared client.

Repeats a call only when the token was refused: then certainly nothing was sent.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from alerting.channels.base import Rejected, Scope, Unknown
from alerting.channels.http import Answer, VendorHttp
from alerting.channels.providers.dingtalk_errors import STALE_TOKEN, answer_to
from alerting.channels.providers.dingtalk_settings import DingtalkSettings
from alerting.channels.tokens import AccessToken, Failed, Fresh, Told, with_token

_JSON = {"Content-Type": "application/json"}
_HEADER = "x-acs-dingtalk-access-token"


class DingtalkAccount:
    """`call` answers with DingTalk's document or with what stood in the way; it never raises for what DingTalk does."""

    def __init__(self, settings: DingtalkSettings) -> None:
        self.settings = settings
        self._http = VendorHttp()
        self._http.join()
        self._token = AccessToken(self._fetch)

    async def call(
        self, method: str, path: str, deadline_s: float, *, query: Mapping[str, str] | None = None, body: Any = None
    ) -> Told | Failed:
        """`path` below `/v1.0/`. Within `deadline_s`, the token included."""

        async def ask(token: str, left_s: float) -> Told | Failed:
            return await self._ask(method, path, query, body, {_HEADER: token}, left_s)

        return await with_token(self._token, deadline_s, STALE_TOKEN, ask)

    async def close(self) -> None:
        """A second call does nothing."""
        await self._token.close()
        await self._http.leave()

    async def _fetch(self, deadline_s: float) -> Fresh | Failed:
        body = {"appKey": self.settings.app_key, "appSecret": self.settings.app_secret}
        told = await self._ask("POST", "oauth2/accessToken", None, body, {}, deadline_s)
        if not isinstance(told, dict):
            return told
        value, lives_s = told.get("accessToken"), told.get("expireIn")
        if not isinstance(value, str) or not value or not isinstance(lives_s, int):
            return Unknown("unreadable_answer")
        return Fresh(value, float(lives_s))

    async def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Any,
        headers: Mapping[str, str],
        deadline_s: float,
    ) -> Told | Failed:
        url = f"{self.settings.base_url}/v1.0/{path}" + (f"?{urlencode(query)}" if query else "")
        document = b"" if body is None else msgspec.json.encode(body)
        sent = {**headers, **(_JSON if document else {})}
        answer = await self._http.exchange(method, url, deadline_s=max(0.0, deadline_s), headers=sent, body=document)
        return _read(answer) if isinstance(answer, Answer) else answer


def _read(answer: Answer) -> Told | Failed:
    """A refusal has a `code`, or an `errcode` other than 0, whatever the status says."""
    try:
        told = answer.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        bad = 400 <= answer.status < 500
        return Rejected(f"http_{answer.status}", Scope.ACCOUNT) if bad else Unknown("unreadable_answer")
    code = told.get("code") or told.get("errcode")
    if code not in (None, 0, "0", ""):
        return answer_to(str(code))
    return told if answer.status == 200 else Rejected(f"http_{answer.status}", Scope.ACCOUNT)
