"""The daily digest: what waits for work, to each grid's worker and to the control room, once a day. Never decides.

A row per day and grid says that it was sent, so that a restart neither repeats nor forgets one.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from alerting.core.decisions import Notify
from alerting.core.model import Purpose, Reason, Settings
from alerting.core.night import local_day, next_hour
from alerting.core.summary_words import Digest, digest_lines, render_digest, word_digest
from alerting.core.world import World
from alerting.deciding import Deciding
from alerting.ports import Clock, Database, Priority
from alerting.store import digests, incidents
from alerting.writing import Written
from devices.model import Channel, Person, Role
from devices.resolve import on_duty, place_by_id

late_most = timedelta(hours=4)
"""Who was not running at the hour sends it within this time; then the next one says it."""
grids_most = 20
"""In one transaction."""
DIGEST_ROUND = -2
"""Beside the rounds of the ladder; the step is the day."""
digest_urgency = 5


class Digests:
    """For one caller at a time. `after` takes what was written, on the event loop."""

    def __init__(
        self,
        deciding: Deciding,
        database: Database,
        clock: Clock,
        settings: Settings,
        after: Callable[[Written], None],
    ) -> None:
        self._deciding = deciding
        self._database = database
        self._clock = clock
        self._settings = settings
        self._after = after
        self._next: datetime | None = None

    async def run_due(self) -> None:
        """Costs nothing until the hour comes."""
        hour, now = self._settings.digest_hour, self._clock.now()
        if hour is None:
            return
        if self._next is None or now - self._next > late_most:
            self._next = next_hour(now - late_most, hour, self._settings.timezone)
        if now < self._next:
            return
        moment = self._next
        day = local_day(moment, self._settings.timezone)
        while pending := await self._database.read(lambda conn: digests.pending(conn, day, moment)):
            send = partial(self._send, grid_ids=pending[:grids_most], day=day)
            self._after(await self._database.write(Priority.ADMINISTRATION, send))
        self._next = next_hour(moment, hour, self._settings.timezone)

    def _send(self, conn: Connection, grid_ids: Sequence[str], day: str) -> Written:
        now = self._clock.now()
        moment = self._next or now
        mine = [grid_id for grid_id in grid_ids if digests.claim(conn, day, grid_id, now)]
        found = {grid_id: digests.waiting(conn, grid_id, moment, digest_lines) for grid_id in mine}
        known = incidents.load(conn, {each.incident_id for each in found.values() if each is not None})
        named = digests.names(conn, mine)
        world = self._deciding.world_of(conn, (), grid_ids=[id_ for id_ in mine if id_ != digests.EVERYWHERE])
        made: list[Notify] = []
        for grid_id, waiting in found.items():
            if waiting is None or waiting.incident_id not in known:
                continue
            digest = Digest(
                grid=named.get(grid_id, ("", ""))[0],
                grid_en=named.get(grid_id, ("", ""))[1],
                total=waiting.total,
                kinds=waiting.kinds,
                lines=waiting.lines,
                oldest=waiting.oldest,
                now=now,
                incident_id=waiting.incident_id,
                timezone=self._settings.timezone,
            )
            for person in _readers(grid_id, world):
                made.extend(_notices(digest, person, day))
        return self._deciding.carry_out(conn, world, made, known)


def _readers(grid_id: str, world: World) -> list[Person]:
    """Who is on duty for the grid at this hour; else its deputy. The control room reads what waits everywhere."""
    if grid_id == digests.EVERYWHERE:
        return list(on_duty(world.snapshot, None, Role.CONTROL_ROOM, world.now))
    placement = place_by_id(world.snapshot, "", grid_id=grid_id)
    for role in (Role.GRID_WORKER, Role.DEPUTY):
        people = [person for person in on_duty(world.snapshot, placement, role, world.now) if person.contacts]
        if people:
            return people
    return []


def _notices(digest: Digest, person: Person, day: str) -> list[Notify]:
    notices = []
    for channel in (Channel.SMS, Channel.APP):
        point = person.contact(channel)
        if point is not None:
            notices.append(
                Notify(
                    incident_id=digest.incident_id,
                    round=DIGEST_ROUND,
                    step=datetime.fromisoformat(day).toordinal(),
                    recipient_id=person.id,
                    recipient_name=person.name,
                    channel=channel,
                    address=point.address,
                    language=person.language,
                    purpose=Purpose.DIGEST,
                    urgency=digest_urgency,
                    text=render_digest(digest, channel, person.language),
                    wording=word_digest(digest, channel, person.language),
                    reason=Reason.DIGEST,
                )
            )
    return notices
