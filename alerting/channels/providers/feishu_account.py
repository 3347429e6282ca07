"""One Feishu app: its access token and its calls, over one shared client.

Repeats a call only when the token was refused: then certainly nothing was sent.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from alerting.channels.base import Rejected, Scope, Unknown
from alerting.channels.http import Answer, VendorHttp
from alerting.channels.providers.feishu_errors import STALE_TOKEN, answer_to
from alerting.channels.providers.feishu_settings import FeishuSettings
from alerting.channels.tokens import AccessToken, Failed, Fresh, Told, with_token

_JSON = {"Content-Type": "application/json; charset=utf-8"}


class FeishuAccount:
    """`call` answers with Feishu's document or with what stood in the way; it never raises for what Feishu does."""

    def __init__(self, settings: FeishuSettings) -> None:
        self.settings = settings
        self._http = VendorHttp()
        self._http.join()
        self._token = AccessToken(self._fetch)

    async def call(
        self, method: str, path: str, deadline_s: float, *, query: Mapping[str, str] | None = None, body: Any = None
    ) -> Told | Failed:
        """`path` below `/open-apis/`. Within `deadline_s`, the token included."""

        async def ask(token: str, left_s: float) -> Told | Failed:
            return await self._ask(method, path, query, body, {"Authorization": f"Bearer {token}"}, left_s)

        return await with_token(self._token, deadline_s, STALE_TOKEN, ask)

    async def close(self) -> None:
        """A second call does nothing."""
        await self._token.close()
        await self._http.leave()

    async def _fetch(self, deadline_s: float) -> Fresh | Failed:
        body = {"app_id": self.settings.app_id, "app_secret": self.settings.app_secret}
        told = await self._ask("POST", "auth/v3/tenant_access_token/internal", None, body, {}, deadline_s)
        if not isinstance(told, dict):
            return told
        value, lives_s = told.get("tenant_access_token"), told.get("expire")
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
        url = f"{self.settings.base_url}/open-apis/{path}" + (f"?{urlencode(query)}" if query else "")
        document = b"" if body is None else msgspec.json.encode(body)
        sent = {**headers, **(_JSON if document else {})}
        answer = await self._http.exchange(method, url, deadline_s=max(0.0, deadline_s), headers=sent, body=document)
        return _read(answer) if isinstance(answer, Answer) else answer


def _read(answer: Answer) -> Told | Failed:
    """A refusal has a `code` other than 0, with a status of 200 or of 400."""
    try:
        told = answer.json()
    except ValueError:
        told = None
    code = told.get("code") if isinstance(told, dict) else None
    if isinstance(told, dict) and type(code) is int:
        return told if code == 0 else answer_to(code)
    if 400 <= answer.status < 500:
        return Rejected(f"http_{answer.status}", Scope.ACCOUNT)
    return Unknown("unreadable_answer")
