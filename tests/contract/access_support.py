"""Browsers, users and a clock whose hands can be turned, for the tests of logins and scopes. Holds no test."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any

from sqlalchemy import select

from api.sessions import COOKIE, CSRF_HEADER
from devices.store.tables_audit import audit
from gengfu.clock import SystemClock
from tests.contract.api_support import Answer, Api

PASSWORD = "correct horse 42"


class TurnableClock(SystemClock):
    """The machine's clocks, and what was added to both of them."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def turn(self, by: timedelta) -> None:
        self.ahead += by

    def now(self) -> datetime:
        return super().now() + self.ahead

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead.total_seconds()


@dataclass
class Browser:
    """Keeps the cookie as a browser does, and sends the CSRF token as our page does; each can be left out or forged."""

    api: Api
    token: str = ""
    csrf: str = ""
    cookies: list[str] = field(default_factory=list)
    """Each Set-Cookie header, as it came."""

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {"Cookie": f"{COOKIE}={self.token}"} if self.token else {}
        if self.csrf:
            sent[CSRF_HEADER.replace("-", "_")] = self.csrf
        answer = await self.api.call(method, path, body, role=None, **(sent | headers))
        if "Set-Cookie" in answer.headers:
            self.cookies.append(answer.headers["Set-Cookie"])
            self.token = SimpleCookie(answer.headers["Set-Cookie"])[COOKIE].value
        return answer

    async def sign_in(self, login: str, password: str = PASSWORD, **headers: str) -> Answer:
        answer = await self.call("POST", "/sessions", {"login": login, "password": password}, **headers)
        if answer.status == 201:
            self.csrf = answer.body["csrf_token"]
        return answer


async def user(api: Api, login: str, *grants: dict[str, str], key: str | None = None, **fields: Any) -> Any:
    """A user as an administrator makes one."""
    body = {"login": login, "name": f"值班员{login}", "password": PASSWORD, "grants": list(grants), **fields}
    answer = await api.call("POST", "/users", body, key=key)
    assert answer.status == 201, answer.text
    return answer.body


async def signed_in(api: Api, login: str, *grants: dict[str, str], **fields: Any) -> Browser:
    """A browser in which a new user has signed in."""
    await user(api, login, *grants, **fields)
    browser = Browser(api)
    answer = await browser.sign_in(login)
    assert answer.status == 201, answer.text
    return browser


async def rows(api: Api, table: Any) -> list[Any]:
    """All rows of a table."""
    return list(await api.database.read(lambda conn: conn.execute(select(table)).all()))


async def audited(api: Api) -> list[Any]:
    """The audit, oldest first."""
    return sorted(await rows(api, audit), key=lambda row: row.id)
