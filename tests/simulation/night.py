"""One night from a seed: a fleet, a roster with gaps, people who go or sleep, providers that fail. Virtual time."""

import hashlib
import heapq
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count

from alerting.core import decisions as d
from alerting.core.acts import Verb, act
from alerting.core.attempts import FAILED_FOR_GOOD, risen
from alerting.core.fold import SignalIn, dedup_key, fold, fold_held
from alerting.core.ladder import placement_of
from alerting.core.model import AttemptState, Incident, Loop, Paged, Policy, Purpose, Refusal, Settings, Work
from alerting.core.states import Act
from alerting.core.world import World
from alerting.escalation import TABLE
from devices.model import Channel, Device, Language, Person, Placement, Role, Shift
from devices.resolve import on_duty, place_device
from devices.signals import SignalKind
from devices.taxonomy import TAXONOMY
from tests.simulation.deeds import AFTER_GOING, AT_RANDOM, CALL_AGAIN, FOLLOWING, By, Deed
from tests.simulation.ledger import Ledger
from tests.unit.builders import (
    ALL,
    DEVICES,
    GRID,
    KIND_OF,
    NOW,
    a_device,
    a_policy,
    a_registry,
    a_shift,
    a_step,
    a_worker,
    an_actor,
    at,
)

night_s = 1800
incidents_least = 5
CODES = (
    "fire.smoke",
    "fire.smoke",
    "fire.heat",
    "gas.co",
    "water.leak",
    "env.overheat",
    "lane.blocked",
    "device.fault",
)
PLACE_OF = {Role.COMMUNITY_DUTY: "community", Role.STREET_DUTY: "street", Role.CHAIR_OR_SECRETARY: "community"}
OUTCOMES = (
    AttemptState.PROVIDER_ACCEPTED,
    AttemptState.DELIVERED,
    AttemptState.ANSWERED,
    AttemptState.UNKNOWN,
    AttemptState.REJECTED,
    AttemptState.FAILED,
)
_ACTS = frozenset(Act)
NOT_REACHED = (AttemptState.PLANNED, AttemptState.CANCELED, AttemptState.REJECTED)


class Night:
    """`run` plays it; `ledger.trace` is what happened."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._people = _people(self._dice)
        shifts, self._devices = _shifts(self._dice, self._people), _devices(self._dice)
        self._registry = a_registry(people=self._people, shifts=shifts, devices=self._devices)
        self._policies = tuple(_policy(self._dice) for _ in range(self._dice.choice((0, 0, 1))))
        self._settings = Settings(sms_two_way=self._dice.random() < 0.3)
        self._order = count()
        self._agenda: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._fresh = count(1)
        self.ledger = Ledger()
        self.accepted = 0
        self.refused = 0
        self.refusals: set[tuple[Work, Act]] = set()
        """Pairs that are not in the transition table and were refused."""

    @property
    def seen(self) -> set[tuple[Work, Act]]:
        return self.ledger.seen

    @property
    def digest(self) -> str:
        return hashlib.blake2b(repr(self.ledger.trace).encode(), digest_size=12).hexdigest()

    def tail(self) -> list[str]:
        return [f"{moment:%H:%M:%S} {cause}: {what!r}"[:240] for moment, cause, what in self.ledger.trace[-15:]]

    def run(self) -> None:
        self._five_incidents()
        for _ in range(self._dice.choice((0, 1, 1, 2, 4))):
            self._at(self._dice.uniform(0, night_s / 2), self._signals)
        for _ in range(self._dice.randint(2, 6)):
            self._at(self._dice.uniform(0, night_s), self._console)
        while (moment := self._next()) is not None and moment <= at(night_s):
            if self._agenda and self._agenda[0][0] <= moment:
                heapq.heappop(self._agenda)[2](moment)
            else:
                self._due(moment)
        assert len(self.ledger.incidents) >= incidents_least, "too quiet to prove anything"

    def _five_incidents(self) -> None:
        """Alarms of different keys, in the first half of the night."""
        wanted: dict[str, tuple[str, str]] = {}
        pairs = [
            (each.id, code) for each in self._devices if each.test_mode_until is None for code in sorted(set(CODES))
        ]
        for device_id, code in self._dice.sample(pairs, len(pairs)):
            placed = place_device(self._registry, device_id)
            key = dedup_key(TAXONOMY[code], placed if isinstance(placed, Placement) else None, device_id)
            wanted.setdefault(key, (device_id, code))
        for device_id, code in list(wanted.values())[:incidents_least]:
            moment = self._dice.uniform(0, night_s / 2)
            self._at(moment, partial(self._alarm, device_id, code))

    def _alarm(self, device_id: str, code: str, now: datetime) -> None:
        number = next(self._fresh)
        kind = KIND_OF[TAXONOMY[code].cls.value]
        signal = SignalIn(device_id, kind, code, now, now, False, f"i-{number:03}", f"R{number:04}")
        self._carry_out(fold([signal], self._world(now)), now, "signals")

    def _next(self) -> datetime | None:
        dues = [incident.due_at for incident in self.ledger.incidents.values() if incident.due_at is not None]
        dues += [held.due_at for held in self.ledger.waiting.values()]
        return min([*dues, *(entry[0] for entry in self._agenda[:1])], default=None)

    def _at(self, seconds: float, work: Callable[[datetime], None], base: datetime = NOW) -> None:
        heapq.heappush(self._agenda, (base + timedelta(seconds=seconds), next(self._order), work))

    def _world(self, now: datetime) -> World:
        held = {incident.dedup_key: incident for incident in self.ledger.held()}
        paged = {incident_id: tuple(pages) for incident_id, pages in self.ledger.paged.items()}
        return World(now, self._registry, self._settings, self._policies, held, paged, dict(self.ledger.waiting))

    def _signals(self, now: datetime) -> None:
        batch = [self._signal(now) for _ in range(self._dice.randint(1, 3))]
        before = dict(self.ledger.incidents)
        self._carry_out(fold(batch, self._world(now)), now, "signals")
        for incident_id, earlier in before.items():
            assert self.ledger.incidents[incident_id].work is earlier.work or earlier.work is Work.NEW

    def _signal(self, now: datetime) -> SignalIn:
        dice, number = self._dice, next(self._fresh)
        device = dice.choice([*(each.id for each in self._devices), "ghost-1"])
        code = dice.choice(CODES)
        kind = KIND_OF[TAXONOMY[code].cls.value]
        if dice.random() < 0.25:
            kind, code = SignalKind.RESTORAL, dice.choice((code, "device.restore"))
        observed = dice.choice((None, now, now - timedelta(hours=2)))
        test = dice.random() < 0.1
        return SignalIn(device, kind, code, now, observed, test, f"i-{number:03}", f"R{number:04}")

    def _due(self, now: datetime) -> None:
        self._carry_out(fold_held(self._world(now)), now, "held")
        assert all(held.due_at > now for held in self.ledger.waiting.values()), "it waits for ever"
        for incident in [each for each in self.ledger.incidents.values() if each.due_at is not None]:
            if incident.due_at is not None and incident.due_at <= now:
                made = self._ask(incident, now, "due")
                if incident.work in (Work.NEW, Work.DISPATCHED) and self._anybody(incident, now):
                    assert any(isinstance(each, d.Notify) for each in made), "somebody could be asked and was not"

    def _ask(self, incident: Incident, now: datetime, cause: str) -> list[d.Decision]:
        pages, world = self.ledger.paged[incident.id], self._world(now)
        for rule in TABLE.values():
            made = rule(incident, pages, world)
            if made is not None:
                self._carry_out(made, now, cause)
                return made
        raise AssertionError("no rule spoke")

    def _anybody(self, incident: Incident, now: datetime) -> bool:
        """Can anybody whom the policy names be asked on any of its channels?"""
        world = self._world(now)
        placement = placement_of(incident, world)
        roles = {role for step in incident.policy.steps for role in step.to} | set(incident.policy.loop.to)
        channels = {channel for step in incident.policy.steps for channel in step.channels}
        people = [person for role in roles for person in on_duty(world.snapshot, placement, role, now)]
        return any(person.contact(channel) for person in people for channel in channels)

    def _carry_out(self, made: list[d.Decision], now: datetime, cause: str) -> None:
        for notice in self.ledger.carry_out(made, now, cause):
            pages = self.ledger.paged[notice.incident_id]
            page = next(p for p in reversed(pages) if _is_of(p, notice))
            self._at(self._dice.uniform(0.01, 8), self._outcome(notice.incident_id, page), now)
            if notice.purpose is Purpose.PAGE:
                self._at(self._dice.uniform(5, 90), self._reaction(notice, page), now)

    def _outcome(self, incident_id: str, page: Paged) -> Callable[[datetime], None]:
        state = self._dice.choice(OUTCOMES)

        def happen(now: datetime) -> None:
            before = self.ledger.state_of(incident_id, page.notification_id)
            self.ledger.raise_state(incident_id, page.notification_id, risen(before, state))
            if state in FAILED_FOR_GOOD:
                self._ask(self.ledger.incidents[incident_id], now, "failed")

        return happen

    def _reaction(self, notice: d.Notify, page: Paged) -> Callable[[datetime], None]:
        mood = self._dice.random()

        def happen(now: datetime) -> None:
            if self.ledger.state_of(notice.incident_id, page.notification_id) in NOT_REACHED:
                return
            if mood < 0.3:
                self._accept(notice.incident_id, notice.recipient_id, now)
            elif mood < 0.42:
                for _ in range(self._dice.randint(1, 2)):
                    self._decline(notice.incident_id, notice.recipient_id, now)

        return happen

    def _accept(self, incident_id: str, person_id: str, now: datetime) -> None:
        known, pages = self.ledger.incidents[incident_id], list(self.ledger.paged[incident_id])
        made = self._act(incident_id, Verb.ACCEPT, person_id, now)
        if isinstance(made, d.Refused):
            self.refused += 1
            assert made.reason in (Refusal.ALREADY_TAKEN, Refusal.ALREADY_CLOSED)
            assert made.reason is not Refusal.ALREADY_TAKEN or made.who == known.taken_by
            return
        if not made:
            assert known.taken_by == person_id
            return
        self.accepted += 1
        notices = [each for each in made if isinstance(each, d.Notify)]
        reached = {p.recipient_id for p in pages if p.purpose is Purpose.PAGE and p.state not in NOT_REACHED}
        readers = {p.id for p in self._people if p.contact(Channel.SMS) or p.contact(Channel.APP)}
        assert sorted(each.recipient_id for each in notices) == sorted((reached & readers) - {person_id})
        assert all(each.purpose is Purpose.UPDATE for each in notices)
        for deed, chance, low, high in AFTER_GOING:
            if self._dice.random() < chance:
                self._at(self._dice.uniform(low, high), self._later(incident_id, deed, person_id), now)

    def _decline(self, incident_id: str, person_id: str, now: datetime) -> None:
        known = self.ledger.incidents[incident_id]
        made = self._act(incident_id, Verb.DECLINE, person_id, now)
        asked = not isinstance(made, d.Refused) and any(isinstance(each, d.SetLadder) for each in made)
        if asked:
            after = self.ledger.incidents[incident_id]
            assert (after.round, after.step) != (known.round, known.step), "the next step, at once"

    def _later(self, incident_id: str, deed: Deed, person_id: str | None) -> Callable[[datetime], None]:
        return lambda now: self._also(self._act(incident_id, deed.verb, person_id, now, deed), incident_id, deed.verb)

    @property
    def _verified(self) -> set[str]:
        works = [what for _, _, what in self.ledger.trace if isinstance(what, d.SetWork)]
        return {each.incident_id for each in works if each.work is Work.VERIFIED}

    def _also(self, made: list[d.Decision] | d.Refused, incident_id: str, verb: Verb) -> None:
        incident = self.ledger.incidents[incident_id]
        if verb is Verb.CLOSE and not isinstance(made, d.Refused):
            verified = incident_id in self._verified
            assert incident.cls != "A" or verified, "class A closed unseen"

    def _console(self, now: datetime) -> None:
        dice = self._dice
        for incident_id in list(self.ledger.incidents):
            deed = dice.choices(AT_RANDOM, [each.weight for each in AT_RANDOM])[0]
            if self.ledger.incidents[incident_id].work is Work.NEW and dice.random() < 0.3:
                deed = CALL_AGAIN
            person_id = dice.choice(self._people).id if deed.by is By.WORKER else None
            self._later(incident_id, deed, person_id)(now)
            for following in FOLLOWING.get(deed.verb, ()):
                if dice.random() < 0.5:
                    self._at(dice.uniform(1, 200), self._later(incident_id, following, None), now)

    def _act(
        self, incident_id: str, verb: Verb, person_id: str | None, now: datetime, deed: Deed | None = None
    ) -> list[d.Decision] | d.Refused:
        person = next((each for each in self._people if each.id == person_id), None)
        incident, pages = self.ledger.incidents[incident_id], self.ledger.paged[incident_id]
        detail = deed.detail(self._dice, [each.id for each in self._people]) if deed is not None else {}
        if verb is Verb.REOPEN:
            detail |= {"fresh_id": f"i-{next(self._fresh):03}", "fresh_reference": "REOPN"}
        made = act(incident, verb, an_actor(person), detail, pages, self._world(now))
        if isinstance(made, d.Refused):
            self.ledger.trace.append((now, verb.value, made))
            if verb.value in _ACTS:
                self.refusals.add((incident.work, Act(verb.value)))
        else:
            if made and verb.value in _ACTS:
                self.seen.add((incident.work, Act(verb.value)))
            self._carry_out(made, now, verb.value)
        return made


def _is_of(page: Paged, notice: d.Notify) -> bool:
    mine = (notice.round, notice.step, notice.recipient_id, notice.channel, notice.purpose)
    return (page.round, page.step, page.recipient_id, page.channel, page.purpose) == mine


def _people(dice: random.Random) -> list[Person]:
    return [
        a_worker(
            f"worker-{n}",
            f"网格员{'甲乙丙丁戊己庚辛'[n]}",
            f"Grid worker {'ABCDEFGH'[n]}",
            dice.sample(ALL, dice.choice((0, 1, 2, 3, 3, 3))),
            dice.choice((Language.ZH_CN, Language.ZH_CN, Language.EN)),
        )
        for n in range(dice.randint(1, 8))
    ]


def _shifts(dice: random.Random, people: list[Person]) -> list[Shift]:
    """Steps empty, held twice, held by one person for two roles, and held for a part of the night."""
    shifts = []
    for role in Role:
        for person in dice.sample(people, dice.choice((0, 0, 1, 1, 2)) if len(people) > 1 else dice.choice((0, 1))):
            change = at(dice.uniform(1, night_s))
            hours = dice.choice((None, None, (at(-3600), change), (change, at(2 * night_s))))
            grid_role = role in (Role.GRID_WORKER, Role.DEPUTY, Role.NEIGHBOUR_GRID)
            place = None if grid_role else PLACE_OF.get(role)
            everywhere = dice.random() < 0.1
            grid = GRID if grid_role and not everywhere else None
            shifts.append(a_shift(role, person.id, grid=grid, place=None if everywhere else place, hours=hours))
    return shifts


def _devices(dice: random.Random) -> list[Device]:
    devices = dice.sample(DEVICES, dice.randint(1, len(DEVICES)))
    until = at(dice.uniform(0, night_s))
    return [*devices, a_device("in-test-1", "r1202", test_mode_until=until)]


def _policy(dice: random.Random) -> Policy:
    times = sorted(dice.choice((0, 0, 20, 45, 45, 90)) for _ in range(dice.randint(0, 4)))
    steps = [
        a_step(
            after, *dice.sample(list(Role), dice.randint(1, 2)), channels=tuple(dice.sample(ALL, dice.randint(1, 3)))
        )
        for after in (0, *times)
    ]
    policy = a_policy(*steps, loop=Loop(dice.choice((45, 120)), tuple(dice.sample(list(Role), 2))))
    return replace(policy, taken_expires_s=dice.choice((120, 900)))
