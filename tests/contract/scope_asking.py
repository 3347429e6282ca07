"""The two districts behind a running API, and callers bound to the first of them; it holds no test."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from api.permissions import ROUTES, Role
from devices.store import audit
from tests.contract.api_support import Answer, Api
from tests.contract.scope_cases import (
    ELSEWHERE,
    LAST,
    PICTURES,
    SHARED,
    WHOLE,
    address,
    body_of,
    noun_of,
    short,
)
from tests.contract.scope_world import Side, send_picture

OF_WORKERS = {
    "POST notifications/{id}/received",
    *(f"POST readiness/me/{act}" for act in ("contact-card", "phone-guide", "self-test")),
}
"""What only somebody who is a worker himself can do."""


def leaks(answer: Answer, other: Side, sent: str = "") -> list[str]:
    """What of the other side the answer tells, beyond what the caller himself has sent."""
    text = answer.text + json.dumps(dict(answer.headers), ensure_ascii=False)
    found = []
    for word in sorted(other.words(), key=len, reverse=True):
        if word in sent:
            text = text.replace(word, "")
        elif word in text:
            found.append(word)
    return found


@dataclass(frozen=True, slots=True)
class Reached:
    route: str
    answer: Answer
    audited: int
    """Rows that the audit has gained."""


class World:
    """The running API, both sides, and callers bound to the first."""

    def __init__(self, api: Api, mine: Side, other: Side) -> None:
        self.api, self.mine, self.other = api, mine, other
        self.keys: dict[Role, str] = {}

    async def key(self, role: Role) -> str:
        if role not in self.keys:
            person = self.mine.ids["worker"] if role is Role.GRID_WORKER else None
            self.keys[role] = await self.api.key(role, person, place_id=self.mine.ids["district"])
        return self.keys[role]

    async def call(self, route: str, side: Side, body: Any, key: str, query: str = "") -> Answer:
        method = route.split(" ")[0]
        headers: Any = {} if method in ("GET", "POST") else {"If_Match": "*"}
        path = address(route, side) + query
        if short(route) in PICTURES and method in ("PUT", "POST"):
            return await send_picture(self.api, method, path, key, **headers)
        if short(route) in {"GET places/{id}/pictures/{kind}", "GET incidents/{id}/photos/{photo_id}", "GET labels"}:
            async with self.api.session.get(
                self.api.base_url + path, headers={"Authorization": f"Bearer {key}"}
            ) as response:
                return Answer(response.status, response.headers, None, (await response.read()).decode(errors="replace"))
        return await self.api.call(method, path, body, key=key, **headers)

    async def reach(self) -> AsyncIterator[Reached]:
        """Ask every route for the own side; what takes something away comes last."""
        mine, api = self.mine, self.api
        api.service.pages[mine.ids["notifications"]] = mine.ids["worker"]
        routes = [route for route in ROUTES if route not in ELSEWHERE and route not in WHOLE]
        for route in sorted(routes, key=lambda route: any(word in route for word in LAST)):
            if noun_of(route) in SHARED or (route.startswith("GET ") and "{" not in route):
                continue
            role = Role.ADMINISTRATOR if Role.ADMINISTRATOR in ROUTES[route] else min(ROUTES[route])
            if short(route) in OF_WORKERS:
                role = Role.GRID_WORKER
            before = await self.audited()
            answer = await self.call(route, mine, body_of(route, mine), await self.key(role))
            yield Reached(route, answer, await self.audited() - before)

    async def audited(self) -> int:
        """How many rows the audit has."""
        return await self.api.database.read(lambda conn: audit.head(conn)[0])

    async def dump(self, side: Side) -> str:
        """All that can be read of a side by who sees everything, without what reading or time itself changes."""
        key = await self.api.token(Role.ADMINISTRATOR)
        routes = [route for route in ROUTES if route.startswith("GET ") and "{" in route and route not in ELSEWHERE]
        asked = [route for route in routes if noun_of(route) not in SHARED]
        return "\n".join([f"{route} {(await self.call(route, side, None, key)).text}" for route in asked])
