"""Households in transactions: what a key on their call means, the text at the end, whether they were satisfied.

Never decides (`core.household`, `core.household_answers` do), never reads a name; a household's number goes to its
provider and nowhere else.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from alerting.answer_links import AnswerLinks, hashed, valid_days
from alerting.core import household as core
from alerting.core.acts import KeyOutcome
from alerting.core.decisions import Decision, Notify, Record, Refused
from alerting.core.household_answers import Said, actor_of, hear, may_be_heard
from alerting.core.household_words import HOUSEHOLD
from alerting.core.model import Actor, AttemptState, Incident, Purpose, Raised, Reason, Via
from alerting.core.signal import SignalIn
from alerting.deciding import Deciding
from alerting.ports import Clock, Database, Ids, Priority
from alerting.recorder import Outcome
from alerting.recorder import write as write_outcomes
from alerting.store import attempts, incidents, notifications
from alerting.store import households as store
from alerting.store.households import ResultRow
from alerting.writing import Written
from devices.model import Channel
from devices.signals import SignalKind
from devices.store import households as registry

keys = {"1": Said.FIRE, "2": Said.NO_FIRE}
replies_satisfied = ("1", "１", "满意")
replies_not_satisfied = ("2", "２", "不满意")
_OUTCOMES = {Said.FIRE: KeyOutcome.HOUSEHOLD_FIRE, Said.NO_FIRE: KeyOutcome.HOUSEHOLD_NO_FIRE}
"""What is said next, whatever it changed: who has pressed a key has been heard."""


class Households:
    """`after`: what follows the commit of what was written."""

    def __init__(
        self,
        *,
        database: Database,
        deciding: Deciding,
        clock: Clock,
        ids: Ids,
        wake: Callable[[Connection, str], None],
        after: Callable[[Written], None],
        links: AnswerLinks,
    ) -> None:
        self._database = database
        self._deciding = deciding
        self._clock = clock
        self._ids = ids
        self._wake = wake
        self._after = after
        self._links = links

    async def pressed(self, attempt_id: str, key: str, via: str) -> KeyOutcome:
        """A key on a household's call, committed when this returns. The same key again changes nothing."""
        said = keys[key]
        made = await self._database.write(Priority.ACCEPTANCE, lambda conn: self._press(conn, attempt_id, said, via))
        for written in made:
            self._after(written)
        return _OUTCOMES[said]

    def tell_results(self, conn: Connection, incident_id: str) -> Written:
        """In the transaction that closed it: a text to each household that agreed to one."""
        incident = incidents.load(conn, [incident_id]).get(incident_id)
        if incident is None or incident.verified_result is None:
            return Written()
        world = self._deciding.world_of(conn, [incident], place_ids=incident.extent.rooms)
        contacts = registry.reachable(conn, core.flats(incident, world), world.now)
        expires_at = (world.now + timedelta(days=valid_days)).replace(microsecond=0)
        tokens = {
            each.person_id: self._links.token(incident_id, each.person_id, expires_at)
            for flat in contacts.values()
            for each in flat
            if each.result_messages
        }
        if not tokens:
            return Written()
        world = replace(world, snapshot=replace(world.snapshot, households=contacts))
        paged = notifications.paged(conn, [incident_id]).get(incident_id, ())
        links = {person: self._links.link(token) for person, token in tokens.items()}
        made = core.results(incident, incident.verified_result, world, paged, links)
        store.add_results(conn, _asked(made, tokens, links, world.now, expires_at))
        return self._deciding.carry_out(conn, world, made, {incident_id: incident})

    async def replied(self, address: str, text: str) -> bool:
        """A text from a household's number: to the newest message that it may answer. False: there is none."""
        now = self._clock.now()
        newest = await self._database.read(lambda conn: store.latest_to(conn, address, now))
        word = (text.split() or [""])[0]
        if newest is None:
            return False
        satisfied = word.startswith(replies_satisfied)
        if not satisfied and not word.startswith(replies_not_satisfied):
            return True
        if newest.purpose is Purpose.HOUSEHOLD:
            await self.pressed(newest.attempt_id, "1" if satisfied else "2", Channel.SMS.value)
        else:
            await self._rate(newest.incident_id, newest.recipient_id, satisfied, Channel.SMS.value)
        return True

    async def known(self, token: str) -> ResultRow | None:
        """Whose link this is; None for one that nobody has, or that is over."""
        return await self._database.read(lambda conn: self._of_token(conn, token))

    async def rated(self, token: str, satisfied: bool) -> ResultRow | None:
        """One tap on the answer page, committed when this returns; None as above."""
        row = await self.known(token)
        return None if row is None else await self._rate(row.incident_id, row.recipient_id, satisfied, "link")

    def _press(self, conn: Connection, attempt_id: str, said: Said, via: str) -> list[Written]:
        claimed = attempts.load(conn, [attempt_id])[attempt_id]
        incident_id, person_id = claimed.submission.incident_id, claimed.submission.recipient_id
        actor, flat = _actor(conn, person_id, via)
        incident, made = self._hear(conn, incident_id, said, actor, flat)
        if said is Said.FIRE and claimed.state is not AttemptState.TAKEN and not may_be_heard(incident):
            made = self._raise(conn, incident, actor, flat)
        now = self._clock.now()
        change = attempts.Change(attempt_id, AttemptState.TAKEN, taken_at=now, answered_at=now)
        write_outcomes(conn, [Outcome(change, claimed.submission.notification_id, incident_id)], self._wake)
        return made

    def _hear(
        self, conn: Connection, incident_id: str, said: Said, actor: Actor, flat: str
    ) -> tuple[Incident, list[Written]]:
        known = incidents.load(conn, [incident_id])
        paged = notifications.paged(conn, [incident_id]).get(incident_id, ())
        incident = known[incident_id]
        people = {page.recipient_id for page in paged} | ({incident.taken_by} if incident.taken_by else set())
        world = self._deciding.world_of(conn, [incident], people=people)
        made = hear(incident, said, actor, flat, paged, world)
        if isinstance(made, Refused):
            return incident, []
        return incident, [self._deciding.carry_out(conn, world, made, known)]

    def _raise(self, conn: Connection, incident: Incident, actor: Actor, flat: str) -> list[Written]:
        """It burns, though a result is recorded: as if somebody had rung the control room. Where another is open there
        by now, that one is confirmed."""
        assert incident.place_id is not None, "a household is called about a flat"
        signal = SignalIn(
            device_id="",
            kind=SignalKind.ALARM,
            code=incident.code,
            received_at=self._clock.now(),
            observed_at=None,
            test=False,
            fresh_id=self._ids.uuid7(),
            fresh_reference=self._ids.reference(),
            place_id=incident.place_id,
            raised=Raised(actor.id, actor.name, Via.RESIDENT),
        )
        incident_id, joined, written = self._deciding.raised(conn, signal, actor)
        return [written, *(self._hear(conn, incident_id, Said.FIRE, actor, flat)[1] if joined else ())]

    async def _rate(self, incident_id: str, recipient_id: str, satisfied: bool, via: str) -> ResultRow | None:
        def work(conn: Connection) -> tuple[ResultRow | None, Written]:
            now = self._clock.now()
            row = store.result(conn, incident_id, recipient_id)
            known = incidents.load(conn, [incident_id])
            if row is None or row.expires_at <= now or incident_id not in known:
                return None, Written()
            if row.satisfied is satisfied:
                return row, Written()
            store.rate(conn, row, satisfied, via, now)
            actor, _ = _actor(conn, recipient_id, via)
            reason = Reason.SATISFIED if satisfied else Reason.NOT_SATISFIED
            made: list[Decision] = [Record(incident_id, "satisfaction", actor, reason, {"satisfied": satisfied})]
            world = self._deciding.world_of(conn, [known[incident_id]])
            return replace(row, satisfied=satisfied), self._deciding.carry_out(conn, world, made, known)

        row, written = await self._database.write(Priority.CALLBACK, work)
        self._after(written)
        return row

    def _of_token(self, conn: Connection, token: str) -> ResultRow | None:
        row = store.result_of_token(conn, hashed(token))
        if row is None or row.expires_at <= self._clock.now():
            return None
        return row if self._links.holds(token, row.incident_id, row.recipient_id, row.expires_at) else None


def _actor(conn: Connection, person_id: str, via: str) -> tuple[Actor, str]:
    """As the timeline may show it, and the flat's own name; once withdrawn, only that it was a household."""
    found = store.who(conn, person_id)
    if found is None:
        return Actor(person_id, HOUSEHOLD, via), ""
    return actor_of(person_id, found[0], via), found[1]


def _asked(
    made: Sequence[Decision],
    tokens: dict[str, str],
    links: dict[str, str],
    now: datetime,
    expires_at: datetime,
) -> list[ResultRow]:
    """What was asked of whom: a token only where its link stands in the text."""
    rows = []
    for notice in made:
        assert isinstance(notice, Notify)
        link = links[notice.recipient_id]
        token = tokens[notice.recipient_id] if link and link in notice.text else None
        told = hashed(token) if token else None
        rows.append(ResultRow(notice.incident_id, notice.recipient_id, told, now, expires_at))
    return rows
