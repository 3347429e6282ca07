"""One transaction each: load what a decision rests on, call the core once, write what it said. Never sends."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from alerting import interlocks, restraining
from alerting.core import household
from alerting.core.acts import Done, Verb, act
from alerting.core.canary import CANARY_PURPOSE
from alerting.core.charging import GOING, with_look
from alerting.core.daytime import by_day
from alerting.core.decisions import Acknowledge, Decision, OpenIncident, Refused, SetLadder, SetWork
from alerting.core.fold import SignalIn, fold, fold_held, in_test_mode, keys_of, signal_of, work_order_keys
from alerting.core.held import building_of
from alerting.core.model import Ack, Actor, Incident, Paged, Reason, Refusal, Settings
from alerting.core.raised import raised_record
from alerting.core.records import causes
from alerting.core.signal import placement_of_signal
from alerting.core.walk_test import LastWord, WalkTest, hear, look
from alerting.core.world import Hastened, World
from alerting.escalation import TABLE as RULES
from alerting.loading import with_takers, with_told
from alerting.ports import Clock, Ids
from alerting.reading import Input
from alerting.store import canary, events, incidents, notifications, policies, walk_tests
from alerting.store import held as held_store
from alerting.store.events import EventKey
from alerting.verdicts import Outcome, Verdict
from alerting.walk_tests import conclude, last_words
from alerting.writing import WAKE_OUTBOX, Outbox, Writing, Written
from devices.model import Channel, Placement, Role
from devices.resolve import RegistrySnapshot, on_duty, place_device
from devices.signals import DecodeReason
from devices.store import quarantine
from devices.store.memory import RegistryMemory

tests_most = 200
"""Alarm tests and held alarms looked at in one transaction."""


@dataclass(slots=True)
class Decided:
    """A batch's verdicts, in its order, and what to do after the commit."""

    verdicts: list[Verdict]
    written: Written


class Deciding:
    """The functions that `Database.write` runs. They may be run again from the start; nothing outside changes."""

    def __init__(self, clock: Clock, ids: Ids, settings: Settings, outbox: Outbox) -> None:
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._outbox = outbox
        self._registry = RegistryMemory(settings.timezone)

    def batch(self, conn: Connection, inputs: Sequence[Input]) -> Decided:
        """Messages in, verdicts out. Repeats are found by the events' primary key."""
        now = self._clock.now()
        new = events.insert_new(conn, [item.event for item in inputs if item.event is not None])
        fresh: list[Input] = []
        fresh_ids: set[int] = set()
        for item in inputs:
            if item.event is not None and item.event.key in new:
                reused = new.pop(item.event.key)  # once: the same event may be in one batch twice
                fresh.append(item.with_id_reused() if reused else item)
                fresh_ids.add(id(item))
        world = self._world(conn, now, device_ids={item.device_id for item in fresh})
        known = {item.device_id for item in fresh if item.device_id in world.snapshot.devices}
        refused = {item.event.key for item in fresh if item.event is not None and _is_refused(item, known)}
        events.forget(conn, refused)  # so that it is not a repeat once its device is registered
        self._quarantine(conn, inputs, fresh, known, refused, now)
        signals = [signal for item in fresh for signal in item.signals if signal.unread or _may_decide(signal, known)]
        signals = [replace(s, unread=s.unread or s.device_id not in known) for s in signals]
        written = self._fold(conn, world, signals)
        self._canaries(conn, inputs, written, now)
        return Decided([_verdict(item, id(item) in fresh_ids, refused, now) for item in inputs], written)

    def act(
        self, conn: Connection, incident_id: str, verb: Verb, actor: Actor, detail: dict[str, Any]
    ) -> tuple[Done | Refused, Written]:
        """One person's act on one incident."""
        now = self._clock.now()
        found = incidents.load(conn, [incident_id])
        incident = found.get(incident_id)
        if incident is None:
            return Refused(Refusal.UNKNOWN_INCIDENT), Written()
        paged = notifications.paged(conn, [incident_id])
        asked = paged.get(incident_id, ())
        grids = [str(detail["to"])] if verb is Verb.TRANSFER and detail.get("to") else []
        world = self.world_of(conn, [incident], people=_concerned(actor, asked, detail), grid_ids=grids)
        if verb is Verb.REOPEN:
            held = incidents.load_by_keys(conn, [incident.dedup_key])
            world, found = replace(world, open=held), {**found, **{each.id: each for each in held.values()}}
            detail = {**detail, "fresh_id": self._ids.uuid7(), "fresh_reference": self._ids.reference()}
        made = act(incident, verb, actor, detail, asked, world)
        if isinstance(made, Refused):
            return made, Written()
        made = with_look(incident, made, world, GOING)
        written = Writing(conn, now, self._ids, self._outbox, found).carry_out(made)
        return _done(incident, made), written

    def heard(self, conn: Connection, signals: Sequence[SignalIn]) -> Written:
        """What we find out ourselves about devices, as if they had said it."""
        world = self._world(conn, self._clock.now(), device_ids={signal.device_id for signal in signals})
        return self._fold(conn, world, signals)

    def raised(self, conn: Connection, signal: SignalIn, actor: Actor) -> tuple[str, bool, Written]:
        """What a person tells us, as if a device had: (incident, whether it was open before, what was written)."""
        assert signal.place_id is not None
        world = self.world_of(conn, [], place_ids=[signal.place_id], people=_concerned(actor, ()))
        written = self._fold(conn, world, [signal])
        incident_id = written.opened[0].id if written.opened else _joined(written)
        said = raised_record(incident_id, signal, actor, joined=not written.opened)
        told = Writing(conn, world.now, self._ids, self._outbox, {}).carry_out([said])
        written.entries.extend(told.entries)
        return incident_id, not written.opened, written

    def due(self, conn: Connection, ids: Collection[str], hastened: Mapping[str, Hastened] | None = None) -> Written:
        """Ask the escalation rules about these incidents: their time has come, or a message of theirs failed."""
        now = self._clock.now()
        found = incidents.load(conn, ids)
        if not found:
            return Written()
        paged = notifications.paged(conn, list(found))
        world = with_told(conn, self._world(conn, now, incidents_=list(found.values())), found.values())
        world = restraining.with_windows(conn, world, incidents=found.values())
        world = replace(world, hastened=hastened or {})
        made: list[Decision] = []
        for incident in sorted(found.values(), key=lambda each: (each.severity, each.due_at or now)):
            made.extend(_ask_rules(incident, paged.get(incident.id, ()), world))
        made = restraining.restrained(conn, self._ids, world, made, found, paged)
        return Writing(conn, now, self._ids, self._outbox, found).carry_out(made)

    def heal(self, conn: Connection) -> tuple[list[str], Written]:
        """The invariant: every incident that is not closed has a due time. Gives one to those that lost it."""
        now = self._clock.now()
        found = incidents.load(conn, incidents.forgotten_ids(conn))
        made: list[Decision] = [
            SetLadder(each.id, each.round, each.step, now, Reason.HEALED) for each in found.values()
        ]
        held_store.bring_forward(conn, now + timedelta(seconds=self._settings.test_hold_s))
        if found:
            canary.violated(conn, len(found), now)  # the watchdog pages for it
        return sorted(found), Writing(conn, now, self._ids, self._outbox, found).carry_out(made)

    def tests_due(self, conn: Connection) -> bool:
        """Has a test something to decide by now: a held alarm that may wait no longer, an alarm test that has ended?"""
        now = self._clock.now()
        running = walk_tests.all_running(conn, tests_most)
        words = last_words(conn, [test.device_id for test in running]) if running else {}
        looked = [look(test, words.get(test.device_id), now) for test in running]
        return looked != running or held_store.any_to_look_at(conn, now)

    def tests(self, conn: Connection) -> Written:
        """Page what was held too long; end the alarm tests whose time is over or that have all they need."""
        now = self._clock.now()
        held = held_store.waiting(conn, tests_most)
        running = walk_tests.running(conn, [test.device_id for test in walk_tests.all_running(conn, tests_most)])
        world = self._world(conn, now, device_ids={each.device_id for each in held.values()} | set(running))
        world = replace(world, held=held, steps=frozenset(running))
        known = incidents.load_by_keys(conn, keys_of([signal_of(each) for each in held.values()], world))
        paged = notifications.paged(conn, [incident.id for incident in known.values()])
        world = replace(world, open=known, paged=paged, policies=policies.load(conn))
        world = with_takers(conn, self._with_help(conn, world, {each.device_id for each in held.values()}))
        world = self._with_households(conn, world, household.flats_of(map(signal_of, held.values()), world))
        return self._write(conn, world, fold_held(world), running, words=last_words(conn, running))

    def _fold(self, conn: Connection, world: World, signals: Sequence[SignalIn]) -> Written:
        if not signals:
            return Written()
        world, tests = self._with_tests(conn, world, signals)
        waiting = [signal_of(each) for each in world.held.values()]
        known = incidents.load_by_keys(conn, keys_of([*signals, *waiting], world))
        if orders := work_order_keys(signals, known):
            known |= incidents.load_by_keys(conn, orders)
        paged = notifications.paged(conn, [incident.id for incident in known.values()])
        world = replace(world, open=known, paged=paged, policies=policies.load(conn))
        world = with_takers(conn, self._with_help(conn, world, {signal.device_id for signal in signals}))
        world = self._with_households(conn, world, household.flats_of([*signals, *waiting], world))
        world = restraining.with_windows(conn, world, signals)
        return self._write(conn, world, fold(signals, world), tests, signals)

    def _with_tests(
        self, conn: Connection, world: World, signals: Sequence[SignalIn]
    ) -> tuple[World, dict[str, WalkTest]]:
        """What waits around these signals, and the alarm tests that run: mostly nothing."""
        tested = {signal.device_id for signal in signals if in_test_mode(signal.device_id, world)}
        if not tested and not held_store.any_waiting(conn):
            return world, {}
        placed = [placement_of_signal(signal, world.snapshot) for signal in signals]
        buildings = {building_of(each) for each in placed if each is not None}
        held = held_store.around(conn, {signal.device_id for signal in signals}, buildings)
        tested |= {each.device_id for each in held.values()}
        tests = walk_tests.running(conn, tested)
        if not tested <= world.snapshot.devices.keys():
            every = tested | {signal.device_id for signal in signals}
            told_of = {signal.place_id for signal in signals if signal.place_id}
            world = self._world(conn, world.now, device_ids=every, place_ids=told_of)
        return replace(world, held=held, steps=frozenset(tests)), tests

    def _write(
        self,
        conn: Connection,
        world: World,
        made: list[Decision],
        tests: Mapping[str, WalkTest],
        signals: Sequence[SignalIn] = (),
        words: Mapping[str, LastWord] | None = None,
    ) -> Written:
        """Write what was decided, and what it meant to the alarm tests that run."""
        made = by_day(made, world)
        made = [*made, *interlocks.ask(conn, made, signals, world)]
        heard = hear(tests.values(), signals, made, world, words or {})
        words_of = causes(made, signals, world.settings.late_after_s)
        known = {incident.id: incident for incident in world.open.values()}
        made = restraining.restrained(conn, self._ids, world, made, known, world.paged, signals=True)
        writing = Writing(conn, world.now, self._ids, self._outbox, known)
        written = writing.carry_out([*made, *heard.decisions], words_of)
        conclude(conn, heard.tests, world.now)
        return written

    def _with_help(self, conn: Connection, world: World, device_ids: Collection[str]) -> World:
        """With the duty of neighbouring grids, where it may be asked at once: seldom, and much to load every time.

        The built-in policies come to that step without waiting only where nobody can be reached on the two before it.
        """
        rules = (*world.policies, *(incident.policy for incident in world.open.values()))
        named = (to for rule in rules for to in (rule.loop.to, *(step.to for step in rule.steps)))
        asked = any(Role.NEIGHBOUR_GRID in to for to in named)
        if not asked and not any(_alone(world, device_id) for device_id in device_ids):
            return world
        return replace(world, snapshot=self._registry.with_neighbours(conn, world.snapshot, world.now))

    def _with_households(self, conn: Connection, world: World, flats: set[str]) -> World:
        """With whom these flats' households may be reached by; mostly none is asked for."""
        if not flats:
            return world
        return replace(world, snapshot=self._registry.with_households(conn, world.snapshot, flats, world.now))

    def _world(
        self,
        conn: Connection,
        now: datetime,
        *,
        device_ids: Iterable[str] = (),
        incidents_: Sequence[Incident] = (),
        people: Iterable[str] = (),
        place_ids: Iterable[str] = (),
    ) -> World:
        places = {*place_ids} | {incident.place_id for incident in incidents_ if incident.place_id}
        grids = {incident.grid_id for incident in incidents_ if incident.grid_id}
        wanted = set(device_ids)
        if not wanted and not incidents_:
            return World(now, RegistrySnapshot(), self._settings)
        loaded = self._registry.load(
            conn,
            sorted(wanted),
            now,
            place_ids=sorted(places),
            grid_ids=sorted(grids),
            people_ids=sorted(people),
            neighbours=bool(incidents_),  # for fresh signals: `_with_help`, once their policies are known
        )
        world = World(now, loaded, self._settings)
        return self._with_households(conn, world, household.flats_ahead(incidents_, loaded))

    def _canaries(self, conn: Connection, inputs: Sequence[Input], written: Written, now: datetime) -> None:
        """The self-check is committed with everything else, and handed on as a page is."""
        for item in inputs:
            if item.canary_at is None or item.event_id is None:
                continue
            token = item.event_id[:13]
            mine = Channel.SMS in self._outbox.providers
            canary.commit(conn, token, item.canary_at, now, taken=mine)
            if mine:
                written.submissions.append(canary.claim(token, item.canary_at))
            else:
                self._outbox.wake(conn, WAKE_OUTBOX)

    def world_of(
        self,
        conn: Connection,
        found: Sequence[Incident],
        *,
        people: Iterable[str] = (),
        place_ids: Iterable[str] = (),
        grid_ids: Iterable[str] = (),
    ) -> World:
        """Now, for these incidents or for a place and its duty, with the policies in force."""
        now = self._clock.now()
        places = {*place_ids, *(each.place_id for each in found if each.place_id)}
        grids = {*grid_ids, *(each.grid_id for each in found if each.grid_id)}
        loaded = self._registry.load(
            conn, [], now, place_ids=sorted(places), grid_ids=sorted(grids), people_ids=sorted(people)
        )
        world = World(now, loaded, self._settings, policies.load(conn))
        return self._with_households(conn, world, household.flats_ahead(found, loaded))

    def carry_out(
        self, conn: Connection, world: World, made: Sequence[Decision], known: Mapping[str, Incident]
    ) -> Written:
        """Write decisions that were made on `known` outside of this file."""
        return Writing(conn, world.now, self._ids, self._outbox, known).carry_out(made)

    def _quarantine(
        self,
        conn: Connection,
        inputs: Sequence[Input],
        fresh: Sequence[Input],
        known: set[str],
        refused: Collection[EventKey],
        now: datetime,
    ) -> None:
        """What could not be read, and what is refused, every time it comes (its row counts up); strangers on fire."""
        rows = [item.quarantined for item in inputs if item.quarantined is not None]
        strangers = [item for item in inputs if item.event is not None and item.event.key in refused]
        strangers += [item for item in fresh if item.device_id not in known and not _is_refused(item, known)]
        rows.extend(
            item.as_quarantined(DecodeReason.UNKNOWN_DEVICE, "no such device is registered")
            for item in strangers
            if item.quarantined is None
        )
        quarantine.add(conn, rows, now)


def _alone(world: World, device_id: str) -> bool:
    """The device's grid has neighbours, and nobody of its own can be reached."""
    placed = place_device(world.snapshot, device_id)
    if not isinstance(placed, Placement) or placed.grid_id not in world.snapshot.neighbours:
        return False
    own = (on_duty(world.snapshot, placed, role, world.now) for role in (Role.GRID_WORKER, Role.DEPUTY))
    return not any(person.contacts for people in own for person in people)


def _is_refused(item: Input, known: set[str]) -> bool:
    """Nobody registered its device, and nothing in it is a matter of life."""
    return (
        item.quarantined is None
        and item.device_id not in known
        and not any(signal.life_safety for signal in item.signals)
    )


def _concerned(actor: Actor, paged: Sequence[Paged], detail: Mapping[str, Any] = MappingProxyType({})) -> set[str]:
    people = {page.recipient_id for page in paged}
    people |= {str(detail[name]) for name in ("worker", "recipient") if detail.get(name)}
    return people | {actor.person_id} if actor.person_id else people


def _may_decide(signal: SignalIn, known: set[str]) -> bool:
    """A device that nobody registered is heard only where it claims fire, gas or another life-safety alarm."""
    return signal.device_id in known or signal.life_safety


def _verdict(item: Input, fresh: bool, refused: Collection[EventKey], now: datetime) -> Verdict:
    if item.quarantined is not None:
        return Verdict(Outcome.QUARANTINED, item.quarantined.reason, item.refused(item.quarantined.reason, now))
    if item.event is not None and item.event.key in refused:
        reason = DecodeReason.UNKNOWN_DEVICE.value
        return Verdict(Outcome.QUARANTINED, reason, item.refused(reason, now))
    if item.canary_at is not None:
        return Verdict(Outcome.COMMITTED, CANARY_PURPOSE)
    if not fresh:
        return Verdict(Outcome.DUPLICATE, "repeat", item.receipt(now))
    return Verdict(Outcome.COMMITTED, "new", item.receipt(now))


def _ask_rules(incident: Incident, paged: Any, world: World) -> list[Decision]:
    for rule in RULES.values():
        made = rule(incident, paged, world)
        if made is not None:
            return made
    return []


def _done(incident: Incident, made: Sequence[Decision]) -> Done:
    incident = next((each.incident for each in made if isinstance(each, OpenIncident)), incident)  # reopened
    work = next((each.work for each in made if isinstance(each, SetWork)), incident.work)
    acked = any(isinstance(each, Acknowledge) for each in made)
    return Done(incident.id, work, Ack.ACKNOWLEDGED if acked else incident.ack)


def _joined(written: Written) -> str:
    """The incident that was open and took the signal in."""
    return next(entry.incident_id for _, entry in written.entries if entry.kind == "signal")
