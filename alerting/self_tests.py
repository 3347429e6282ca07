"""The daily message to each phone of a worker that must be tapped there: planned here, sent as a probe. By day, never
to who is on leave.

Law: it costs no SMS and no call; it is no page and asks nobody to go; whoever does not tap it is called all the same.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection

from alerting.core.messages import AppMessage
from alerting.core.model import Purpose, Settings
from alerting.core.night import local_day, next_hour, zone
from alerting.core.probe_words import self_test_words
from alerting.core.readiness import STREAM, Phone, phones_asked, tappable
from alerting.ports import Clock, Database, Ids, Priority
from alerting.probes import SELF_TEST
from alerting.store import probes, readiness
from alerting.store.probes import Probe
from devices.model import Channel, Language

late_most = timedelta(hours=4)
"""Who was not running at the hour sends it within this time."""
tapped_within = timedelta(hours=8)
"""No longer tried after that: the evening is near."""
people_most = 40
"""In one transaction, each with a few phones."""
urgency_least = 5
confirm_path = "/api/v1/readiness/me/self-test"
Link = Callable[[str], str]
"""Of a test id: where it is tapped without the app; empty where nobody outside reaches us."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A phone that has had no message on this day."""

    person_id: str
    language: Language
    phone: Phone


class SelfTests:
    """For one caller at a time. `carriers`: app carriers that have an account here."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        ids: Ids,
        settings: Settings,
        hour: int,
        *,
        carriers: Collection[str] = (),
        link: Link = lambda test_id: "",
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._timezone = settings.timezone
        self._hour = hour
        self._carriers = frozenset(carriers)
        self._link = link
        self._next: datetime | None = None

    async def run_due(self) -> int:
        """Costs nothing until the hour comes; how many messages were planned."""
        now = self._clock.now()
        if self._next is None or now - self._next > late_most:
            self._next = next_hour(now - late_most, self._hour, self._timezone)
        if now < self._next:
            return 0
        day, planned = local_day(self._next, self._timezone), 0
        after: str | None = None
        look = partial(self._look, day=day, now=now)
        while True:
            people, wanted = await self._database.read(partial(look, after=after))
            if not people:
                break
            after = people[-1]
            if wanted:
                plan = partial(self._plan, people=people, wanted=wanted, day=day, now=now)
                planned += await self._database.write(Priority.ADMINISTRATION, plan)
        self._next = next_hour(self._next, self._hour, self._timezone)
        return planned

    def _look(self, conn: Connection, day: str, now: datetime, after: str | None) -> tuple[list[str], list[Wanted]]:
        people = readiness.to_self_test(conn, now, people_most, after)
        phones = readiness.phones_of(conn, [person_id for person_id, _ in people])
        links = bool(self._link(""))
        wanted = [
            Wanted(person_id, language, phone)
            for person_id, language in people
            for phone in phones_asked(phones.get(person_id, ()), self._carriers)
            if phone.day < day and tappable(phone.carrier, links=links)
        ]
        return [person_id for person_id, _ in people], wanted

    def _plan(self, conn: Connection, people: Sequence[str], wanted: Sequence[Wanted], day: str, now: datetime) -> int:
        readiness.forget_phones(conn, people)
        planned = 0
        for each in wanted:
            test_id, phone = self._ids.attempt(), each.phone.subscription_id or STREAM
            if readiness.begin_self_test(conn, each.person_id, phone, day, test_id, now):
                probes.add(conn, self._probe(each, test_id, now))
                planned += 1
        return planned

    def _probe(self, wanted: Wanted, test_id: str, now: datetime) -> Probe:
        over = now + tapped_within
        return Probe(
            id=test_id,
            kind=SELF_TEST,
            channel=Channel.APP,
            address=wanted.person_id,
            language=wanted.language,
            text=_text(wanted.language, test_id, now, over, self._timezone, self._link(test_id)),
            created_at=now,
            send_before=over,
            expires_at=over,
            person_id=wanted.person_id,
            provider=wanted.phone.carrier,
            subscription_id=wanted.phone.subscription_id,
        )


def _text(language: Language, test_id: str, now: datetime, over: datetime, timezone: str, link: str) -> str:
    """As an app message, so that every carrier can show it, with what the client needs to confirm it."""
    title, body = self_test_words(language)
    message = AppMessage(
        title=title,
        body=body,
        hazard="",
        severity=urgency_least,
        place="",
        at=now.astimezone(zone(timezone)).isoformat(timespec="seconds"),
        reference="",
        map_url="",
        incident_id="",
        purpose=Purpose.TEST,
        actions=(),
        answer_url=link,
    )
    shown: Mapping[str, Any] = msgspec.to_builtins(message)
    asked = {"test_id": test_id, "confirm": confirm_path, "expires_at": over}
    return msgspec.json.encode({**shown, **asked}).decode()
