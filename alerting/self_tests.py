"""The daily message to each worker's phone that must be tapped: planned here, sent as a probe. By day, never on leave.

Law: it costs no SMS and no call; it is no page and asks nobody to go; whoever does not tap it is called all the same.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection

from alerting.core.messages import AppMessage
from alerting.core.model import Purpose, Settings
from alerting.core.night import local_day, next_hour, zone
from alerting.core.probe_words import self_test_words
from alerting.ports import Clock, Database, Ids, Priority
from alerting.probes import SELF_TEST
from alerting.store import probes, readiness
from alerting.store.probes import Probe
from devices.model import Channel, Language

late_most = timedelta(hours=4)
"""Who was not running at the hour sends it within this time."""
tapped_within = timedelta(hours=8)
"""No longer tried after that: the evening is near."""
people_most = 100
"""In one transaction."""
urgency_least = 5
confirm_path = "/api/v1/readiness/me/self-test"


class SelfTests:
    """For one caller at a time. `tell` wakes other processes within the transaction, `wake` this one after it."""

    def __init__(self, database: Database, clock: Clock, ids: Ids, settings: Settings, hour: int) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._timezone = settings.timezone
        self._hour = hour
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
        look = partial(readiness.to_self_test, day=day, now=now, most=people_most)
        while people := await self._database.read(partial(look, after=after)):
            after = people[-1][0]
            plan = partial(self._plan, people=people, day=day, now=now)
            planned += await self._database.write(Priority.ADMINISTRATION, plan)
        self._next = next_hour(self._next, self._hour, self._timezone)
        return planned

    def _plan(self, conn: Connection, people: Sequence[tuple[str, Language]], day: str, now: datetime) -> int:
        planned = 0
        for person_id, language in people:
            test_id = self._ids.attempt()
            if readiness.begin_self_test(conn, person_id, day, test_id, now):
                probes.add(conn, _probe(person_id, language, test_id, now, self._timezone))
                planned += 1
        return planned


def _probe(person_id: str, language: Language, test_id: str, now: datetime, timezone: str) -> Probe:
    over = now + tapped_within
    return Probe(
        id=test_id,
        kind=SELF_TEST,
        channel=Channel.APP,
        address=person_id,
        language=language,
        text=_text(language, test_id, now, over, timezone),
        created_at=now,
        send_before=over,
        expires_at=over,
        person_id=person_id,
    )


def _text(language: Language, test_id: str, now: datetime, over: datetime, timezone: str) -> str:
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
    )
    shown: Mapping[str, Any] = msgspec.to_builtins(message)
    asked = {"test_id": test_id, "confirm": confirm_path, "expires_at": over}
    return msgspec.json.encode({**shown, **asked}).decode()
