"""A service with carriers of its own on a real database: what each carrier does is scripted, what it was given is kept.

The carriers are the far side; they never look into our database.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import select

from alerting.carriers import AppTargets, Carriers
from alerting.channels.base import (
    Accepted,
    CallbackEvent,
    Caps,
    NotFound,
    Receipt,
    ReceiptKind,
    Submission,
    Submitted,
    Unknown,
)
from alerting.channels.modest import Modest
from alerting.core.model import Settings
from alerting.metrics import NoMetrics
from alerting.ports import Priority
from alerting.service import Service
from alerting.store import boots, policy_rows
from alerting.store.policy_rows import PolicyRow
from alerting.store.tables import attempts, notifications, timeline
from alerting.stream import Hub
from alerting.writing import Outbox
from devices.model import Channel
from devices.signals import RawMessage
from gengfu.clock import RandomIds
from gengfu.database import RunningDatabase, open_database
from gengfu.seed import seed
from simulators.city import City
from tests.acceptance.outside import StoryClock

FIRE, SECOND_FIRE = "jd-hy-3-2-1201-smoke", "jd-dg-5-1-201-smoke"
Answer = Submitted | float
"""A number: seconds until it is accepted."""


class Scripted(Modest):
    """Gives `answers` one by one, the last one for ever; `found`: what its list says of an attempt."""

    def __init__(self, channel: Channel, name: str, *answers: Answer, caps: Caps | None = None) -> None:
        self.channel, self.name, self.caps = channel, name, caps or Caps()
        self.answers: list[Answer] = list(answers) or [0.0]
        self.found: Accepted | NotFound | Unknown = NotFound()
        self.given: list[Submission] = []
        self.given_at: list[float] = []
        self.asked: list[str] = []
        self.canceled: list[str] = []

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        self.given.append(submission)
        self.given_at.append(asyncio.get_running_loop().time())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not isinstance(answer, float):
            return answer
        if answer >= deadline_s:
            await asyncio.sleep(deadline_s)
            return Unknown("timeout")
        await asyncio.sleep(answer)
        return Accepted(self.ref(submission))

    async def reconcile(self, submission: Submission, provider_ref: str | None) -> Accepted | NotFound | Unknown:
        self.asked.append(submission.attempt_id)
        return self.found

    async def cancel(self, provider_ref: str) -> bool:
        self.canceled.append(provider_ref)
        return self.caps.cancels

    def parse_callback(self, kind: str, attempt_id: str | None, form: Mapping[str, Any]) -> list[CallbackEvent]:
        return [Receipt(attempt_id or "", ReceiptKind(kind), str(form.get("ref", "")))]

    def ref(self, submission: Submission) -> str:
        return f"{self.name}-{submission.attempt_id}"

    def to(self, number: str) -> list[Submission]:
        return [each for each in self.given if each.address == number]


@dataclass(slots=True)
class Desk:
    """One process; `again` is the next one on the same database, after a crash."""

    city: City
    clock: StoryClock
    database: RunningDatabase
    service: Service
    carriers: Carriers

    def number(self, person: str) -> str:
        known = next(each for each in self.city.people if each.id == person)
        point = known.contact(Channel.SMS)
        assert point is not None
        return point.address

    async def burns(self, device_id: str = FIRE, code: str = "fire.smoke") -> None:
        event = {"event_id": f"e-{device_id}-{self.clock.monotonic()}", "code": code, "state": "raised"}
        topic = f"gengfu/v1/{device_id}/up/event"
        message = RawMessage(topic, msgspec.json.encode(event), self.clock.now())
        await self.service.entry.handle([self.service.entry.prepare(message)])

    async def policy(self, **document: Any) -> None:
        row = PolicyRow("story", 0, document, 1)
        await self.database.write(Priority.ADMINISTRATION, lambda conn: policy_rows.add(conn, "policy-1", row))

    async def calls_back(self, carrier: Scripted, submission: Submission, kind: ReceiptKind) -> None:
        form = {"ref": carrier.ref(submission)}
        dedupe = f"{submission.attempt_id}-{kind.value}"
        await self.service.inbox.append(carrier.name, kind.value, submission.attempt_id, dedupe, form)

    async def attempts(self, person: str = "", channel: Channel | None = None) -> list[Any]:
        query = (
            select(attempts, notifications.c.recipient_id, notifications.c.channel, notifications.c.address)
            .join(notifications, notifications.c.id == attempts.c.notification_id)
            .order_by(attempts.c.planned_at, attempts.c.number)
        )
        rows = await self.database.read(lambda conn: conn.execute(query).fetchall())
        return [r for r in rows if person in ("", r.recipient_id) and channel in (None, Channel(r.channel))]

    async def lines(self, kind: str, reason: str = "") -> list[Any]:
        query = select(timeline).where(timeline.c.kind == kind).order_by(timeline.c.seq)
        rows = await self.database.read(lambda conn: conn.execute(query).fetchall())
        return [row for row in rows if reason in ("", row.reason)]


async def until(true: Callable[[], Any], within_s: float = 10.0) -> Any:
    """The first true answer."""
    deadline = asyncio.get_running_loop().time() + within_s
    while True:
        found = true()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert asyncio.get_running_loop().time() < deadline, "it did not come"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def a_database(url: str, city: City, clock: StoryClock) -> AsyncIterator[RunningDatabase]:
    """Migrated, with the city in it."""
    database = open_database(url, monotonic=clock.monotonic)
    try:
        ids = RandomIds()
        await database.write(Priority.ADMINISTRATION, lambda conn: seed(conn, city, now=clock.now(), ids=ids))
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def a_desk(
    database: RunningDatabase,
    city: City,
    clock: StoryClock,
    *providers: Scripted,
    targets: AppTargets | None = None,
) -> AsyncIterator[Desk]:
    """The service over these carriers, in this order."""
    by_channel: dict[Channel, list[Scripted]] = {}
    for each in providers:
        by_channel.setdefault(each.channel, []).append(each)
    carriers = Carriers(by_channel, orders={}, targets=targets)
    ids = RandomIds()
    boot = await database.write(Priority.ADMINISTRATION, lambda conn: boots.begin(conn, clock.now(), "routing"))
    service = Service(
        database=database,
        providers=carriers,
        hub=Hub(ids.uuid7),
        clock=clock,
        ids=ids,
        settings=Settings(),
        metrics=NoMetrics(),
        outbox=Outbox(boot, carriers.firsts()),
    )
    desk = Desk(city, clock, database, service, carriers)
    await service.start()
    try:
        yield desk
    finally:
        await service.stop()
