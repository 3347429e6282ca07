"""What the apps of work chats (WeCom, DingTalk, Feishu) share: access token, calls, whom a message is for, presses.

Repeats a call only when the token was refused: then certainly nothing was sent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import msgspec

from alerting.channels import buttons, cards
from alerting.channels.base import CallbackEvent, Finding, HealthWord, Rejected, Scope, Submission, Unknown
from alerting.channels.http import Answer, VendorHttp
from alerting.channels.modest import Modest
from alerting.channels.older_cards import OlderCards
from alerting.channels.tokens import AccessToken, Failed, Fresh, Told, with_token
from devices.model import Channel


@dataclass(frozen=True, slots=True)
class Call:
    """`path` below the vendor's root."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Any = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Carried:
    """Where a call bears the token."""

    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


Says = Callable[[Told, int], Told | Failed | None]
"""(document, status): what it means; None where that vendor would not say such a thing."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one vendor does in a way of its own."""

    root: str
    token: Call
    token_names: tuple[str, str]
    """Of the token and of the seconds that it lives, in the answer to that call."""
    stale: frozenset[str]
    carried: Callable[[str], Carried]
    says: Says
    media_type: str = "application/json; charset=utf-8"


class WorkApp:
    """`call` answers with the vendor's document or with what stood in the way; it never raises for what he does."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._http = VendorHttp()
        self._http.join()
        self._token = AccessToken(self._fetch)

    async def call(
        self, method: str, path: str, deadline_s: float, *, query: Mapping[str, str] | None = None, body: Any = None
    ) -> Told | Failed:
        """Within `deadline_s`, the token included."""
        call = Call(method, path, query or {}, body)

        async def ask(token: str, left_s: float) -> Told | Failed:
            return await self._ask(call, self._dialect.carried(token), left_s)

        return await with_token(self._token, deadline_s, self._dialect.stale, ask)

    async def close(self) -> None:
        """A second call does nothing."""
        await self._token.close()
        await self._http.leave()

    async def _fetch(self, deadline_s: float) -> Fresh | Failed:
        told = await self._ask(self._dialect.token, Carried(), deadline_s)
        if not isinstance(told, dict):
            return told
        value, lives_s = (told.get(name) for name in self._dialect.token_names)
        if not isinstance(value, str) or not value or not isinstance(lives_s, int):
            return Unknown("unreadable_answer")
        return Fresh(value, float(lives_s))

    async def _ask(self, call: Call, carried: Carried, deadline_s: float) -> Told | Failed:
        query = {**carried.query, **call.query}
        url = f"{self._dialect.root}{call.path}" + (f"?{urlencode(query)}" if query else "")
        body = b"" if call.body is None else msgspec.json.encode(call.body)
        headers = {**carried.headers, **({"Content-Type": self._dialect.media_type} if body else {})}
        answer = await self._http.exchange(
            call.method, url, deadline_s=max(0.0, deadline_s), headers=headers, body=body
        )
        return self._read(answer) if isinstance(answer, Answer) else answer

    def _read(self, answer: Answer) -> Told | Failed:
        """What says nothing that the vendor would say comes from a machine in between."""
        try:
            document = answer.json()
        except ValueError:
            document = None
        said = self._dialect.says(document, answer.status) if isinstance(document, dict) else None
        if said is not None:
            return said
        bad = 400 <= answer.status < 500
        return Rejected(f"http_{answer.status}", Scope.ACCOUNT) if bad else Unknown("unreadable_answer")


def numbered(name: str, answer_to: Callable[[int], Failed]) -> Says:
    """The body holds a number, 0 when all is well, whatever the status is."""

    def says(told: Told, _: int) -> Told | Failed | None:
        code = told.get(name)
        if type(code) is not int:
            return None
        return told if code == 0 else answer_to(code)

    return says


class WorkAppChannel(Modest):
    """The channel over one such app. Without the secret of its callbacks no press is believed."""

    channel = Channel.APP

    def __init__(self, account: WorkApp, callback_secret: str | None = None) -> None:
        self._account = account
        self._callback_secret = callback_secret
        self._older = OlderCards()
        self._closed = False

    def parse_callback(self, kind: str, attempt_id: str | None, form: Mapping[str, Any]) -> list[CallbackEvent]:
        """A pressed button, if it is ours and the one who pressed it is the one it was sent to."""
        secret = self._callback_secret
        return [] if kind != "card" or secret is None else [*buttons.presses(secret, attempt_id, form)]

    async def close(self) -> None:
        """A second call does nothing."""
        if not self._closed:
            self._closed = True
            await self._older.close()
            await self._account.close()

    def _callback_finding(self, otherwise: str) -> Finding:
        proved = "Set; proved by the first button that somebody presses."
        return Finding("callback", HealthWord.UNKNOWN, otherwise if self._callback_secret is None else proved)


def addressed(submission: Submission) -> tuple[str, cards.AppText] | Rejected:
    """Whom it is for, and what it says."""
    user_id = submission.target.get("user_id")
    if not isinstance(user_id, str) or not user_id:
        return Rejected("no_user_id", Scope.SESSION)
    text = cards.read(submission)
    return Rejected("message_unreadable", Scope.TEXT) if text is None else (user_id, text)
