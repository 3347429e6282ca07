"""Commands to devices: handed out to be sent, answered, given up. Every end is one transaction. Never speaks MQTT.

Law: sent after the commit, again until it is answered or has expired; the first answer of the addressed device counts,
and a late one, a second one or one of another device changes nothing; a failed cut-off is told to people once.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection

from alerting.core.commands import FINAL, CommandState, concerned, cut_off_failed
from alerting.core.decisions import AddOverlay, Decision, DropOverlay
from alerting.core.model import Action, Actor, Incident, Overlay, Reason, Settings
from alerting.core.world import World
from alerting.interlocks import WAKE_COMMANDS, audited, entry
from alerting.metrics import Metrics
from alerting.ports import Clock, Database, Ids, Priority
from alerting.store import commands as store
from alerting.store import incidents, notifications, timeline
from alerting.store.commands import Command
from alerting.writing import WAKE_STREAM, Outbox, Writing, Written
from devices.signals import CommandAnswer
from devices.store import snapshot

at_once_most = 50
reason_chars_max = 200
values_most = 32
value_chars_max = 200


@dataclass(frozen=True, slots=True)
class ByHand:
    """What a person asks of a device."""

    device_id: str
    action: Action
    args: Mapping[str, Any]
    why: str
    expires_s: int
    incident_id: str | None = None


class Commands:
    """Made on the event loop. `after`: what the shell does with what was written, after the commit."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        ids: Ids,
        settings: Settings,
        outbox: Outbox,
        metrics: Metrics,
        after: Callable[[Written], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._outbox = outbox
        self._metrics = metrics
        self._after = after
        self._wanted = asyncio.Event()

    # ---- the way out: for whoever holds the broker's connection ------------------------------------------------------

    def wake(self) -> None:
        """Something is to be sent now."""
        self._wanted.set()

    async def wanted(self, within_s: float) -> None:
        """Wait for `wake`, at most so long: the sweep finds whatever a wake-up missed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._wanted.wait()
        self._wanted.clear()

    async def take_due(self) -> list[Command]:
        """Commands to hand to the broker now; each comes again until it is answered or has expired."""
        now = self._clock.now()
        if not await self._database.read(lambda conn: store.any_due(conn, now)):
            return []
        return await self._database.write(Priority.ALARM, lambda conn: store.take_due(conn, now, at_once_most))

    async def sent(self, command: Command) -> None:
        """The broker's connection has it."""
        now = self._clock.now()

        def work(conn: Connection) -> Written:
            if not store.mark_sent(conn, command.id, now):
                return Written()
            return self._told(conn, replace(command, state=CommandState.SENT, reason=None))

        self._after(await self._database.write(Priority.ATTEMPT, work))

    # ---- the way back ----------------------------------------------------------------------------------------------

    async def answered(self, device_id: str, answer: CommandAnswer) -> None:
        """A device's word on a command: durable when this returns, or counted as one that changes nothing."""
        state = CommandState.DONE if answer.done else CommandState.FAILED
        reason = None if answer.done else _clean(answer.reason, reason_chars_max) or None
        values = {
            _clean(name, 64): _clean(value, value_chars_max) if isinstance(value, str) else value
            for name, value in list(answer.values.items())[:values_most]
        }

        def work(conn: Connection) -> tuple[str, Written]:
            command = store.get(conn, answer.command_id)
            if command is None:
                return "command_unknown", Written()
            if command.device_id != device_id:
                return "command_of_another_device", Written()
            if command.state in FINAL:
                late = command.state is CommandState.EXPIRED
                return "command_answered_late" if late else "command_answered_again", Written()
            return "", self._end(conn, command, state, reason, values)

        ignored, written = await self._database.write(Priority.ALARM, work)
        if ignored:
            self._metrics.ignored(ignored)
        self._after(written)

    async def expire(self) -> None:
        """Give up what was not answered in its time."""
        now = self._clock.now()
        for command_id in await self._database.read(lambda conn: store.expired_ids(conn, now, at_once_most)):
            self._after(await self._database.write(Priority.ALARM, partial(self._expire, command_id=command_id)))

    async def audit(self) -> None:
        """Tell the audit what the policies have asked for since it was last told."""
        if not await self._database.read(store.any_unaudited):
            return

        def work(conn: Connection) -> None:
            found = store.unaudited(conn, at_once_most)
            asked = [each if each.state is CommandState.REFUSED else _as_planned(each) for each in found]
            audited(conn, asked, lambda row: row.planned_at)
            store.mark_audited(conn, [each.id for each in found], self._clock.now())

        await self._database.write(Priority.ADMINISTRATION, work)

    def _expire(self, conn: Connection, command_id: str) -> Written:
        command = store.get(conn, command_id)
        if command is None or command.state in FINAL or command.expires_at > self._clock.now():
            return Written()
        return self._end(conn, command, CommandState.EXPIRED, None, {})

    def _end(
        self, conn: Connection, command: Command, state: CommandState, reason: str | None, values: dict[str, Any]
    ) -> Written:
        """The incident is locked before its command is settled, as wherever both are written."""
        now = self._clock.now()
        found = incidents.load(conn, [command.incident_id]) if command.incident_id else {}
        incident = next(iter(found.values()), None)
        made: list[Decision] = []
        number = None
        if incident is not None and command.action is Action.CUT_POWER and state is not CommandState.DONE:
            number = store.told(conn, incident.id)
            made = self._failed(conn, incident, command.device_id, number)
        if not store.settle(conn, command.id, state, now, reason=reason, values=values, told=number):
            return Written()
        if incident is not None and command.action is Action.CUT_POWER and state is CommandState.DONE:
            made = _cut(incident, command.device_id, live=store.still_live(conn, incident.id))
        ended = replace(command, state=state, reason=reason, values=values or None)
        told = self._told(conn, ended)
        written = Writing(conn, now, self._ids, self._outbox, found).carry_out(made)
        written.entries = [*told.entries, *written.entries]
        audited(conn, [ended], lambda row: now)  # behind the timeline, as wherever both are written
        self._metrics.commanded(command.action.value, state.value)
        return written

    def _failed(self, conn: Connection, incident: Incident, device_id: str, number: int) -> list[Decision]:
        paged = notifications.paged(conn, [incident.id]).get(incident.id, ())
        now = self._clock.now()
        known = snapshot.load(
            conn,
            [],
            now,
            place_ids=[incident.place_id] if incident.place_id else [],
            grid_ids=[incident.grid_id] if incident.grid_id else [],
            people_ids=sorted(concerned(incident, paged)),
            timezone=self._settings.timezone,
            neighbours=False,
        )
        return cut_off_failed(incident, device_id, paged, World(now, known, self._settings), number)

    def _told(self, conn: Connection, command: Command) -> Written:
        """One line in the incident's timeline, if it has one."""
        if command.incident_id is None:
            return Written()
        line = entry(command, self._clock.now())
        self._outbox.wake(conn, WAKE_STREAM)
        return Written(entries=list(zip(timeline.append(conn, [line]), [line], strict=True)))

    # ---- by hand -----------------------------------------------------------------------------------------------------

    async def ask(self, wish: ByHand, actor: Actor, also: Callable[[Connection, Command], None]) -> Command:
        """What a person asks for, committed when this returns, with what `also` writes; refused where the device never
        declared the action, or nobody permitted it. Refused, it is written too, and nothing is sent."""

        def work(conn: Connection) -> tuple[Command, Written]:
            row = self._by_hand(wish, actor, _refusal(conn, wish.device_id, wish.action))
            store.plan(conn, [row])
            written = self._told(conn, row)
            also(conn, row)
            written.commanded = row.state is CommandState.PLANNED
            self._outbox.wake(conn, WAKE_COMMANDS)
            return row, written

        row, written = await self._database.write(Priority.ACCEPTANCE, work)
        self._after(written)
        return row

    def _by_hand(self, wish: ByHand, actor: Actor, refused: Reason | None) -> Command:
        now = self._clock.now()
        return Command(
            id=self._ids.uuid7(),
            incident_id=wish.incident_id,
            device_id=wish.device_id,
            action=wish.action,
            args=dict(wish.args),
            state=CommandState.REFUSED if refused else CommandState.PLANNED,
            reason=refused.value if refused else None,
            asked_by=actor.id[:64],
            asked_by_name=actor.name[:64],
            asked_why=wish.why,
            planned_at=now,
            expires_at=now + timedelta(seconds=wish.expires_s),
            audited_at=now,  # by the caller, in this transaction
        )


def _as_planned(command: Command) -> Command:
    """As it was asked for; how it ended is told on its own."""
    return replace(command, state=CommandState.PLANNED, reason=None)


def _refusal(conn: Connection, device_id: str, action: Action) -> Reason | None:
    known = {each.action: each for each in store.permissions(conn, device_id)}[action]
    if not known.declared:
        return Reason.NOT_DECLARED
    return None if known.permitted else Reason.NOT_PERMITTED


def _cut(incident: Incident, device_id: str, live: list[str]) -> list[Decision]:
    """The power is off; what was said of a failed cut-off stands until nothing of it is left."""
    made: list[Decision] = []
    if Overlay.POWER_CUT not in incident.overlays:
        made.append(AddOverlay(incident.id, Overlay.POWER_CUT, Reason.COMMAND_DONE, device_id))
    if Overlay.CUT_FAILED in incident.overlays and not live:
        made.append(DropOverlay(incident.id, Overlay.CUT_FAILED, Reason.COMMAND_DONE))
    return made


def _clean(text: str, most: int) -> str:
    """What both databases keep: no U+0000, no half pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:most]
