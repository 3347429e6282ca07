"""The incident machine against a reference of a hundred lines: whatever people, devices and time do, both agree."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from alerting.core import decisions as d
from alerting.core.acts import Verb, act
from alerting.core.fold import fold
from alerting.core.model import Incident, Purpose
from alerting.core.world import World
from alerting.escalation import TABLE
from tests.simulation.ledger import Ledger
from tests.simulation.reference import Reference
from tests.unit.builders import DEPUTY, GRID_WORKER, a_registry, a_restoral, a_signal, a_world, an_actor, at

ROOMS = {"smoke-1201": "fire.smoke", "heat-1201": "fire.heat", "smoke-1202": "fire.smoke", "smoke-1301": "fire.smoke"}
WORKERS = {each.id: each for each in (GRID_WORKER, DEPUTY)}
devices = st.sampled_from(sorted(ROOMS))
people = st.sampled_from(sorted(WORKERS))


class Machine(RuleBasedStateMachine):
    """One fire. Once it is over a new alarm is another incident, and the check ends there."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Reference()
        self.ledger = Ledger()
        self.pages_while_answered = 0

    @initialize(device=devices)
    def it_burns(self, device: str) -> None:
        self._fold(a_signal(device, ROOMS[device], fresh_id="first"))
        self.model.active.add(device)

    @rule(device=devices)
    def a_device_speaks(self, device: str) -> None:
        known = self.incident.id
        taken = self.model.hear(device) if self._holds_key else False
        if not taken:
            return  # another incident: not this one's business
        self._fold(a_signal(device, ROOMS[device], fresh_id="never", received_at=self._world().now))
        assert set(self.ledger.incidents) == {known}

    @rule(device=devices)
    def a_device_falls_silent(self, device: str) -> None:
        if self._holds_key:
            self.model.fall_silent(device)
            self._fold(a_restoral(device, ROOMS[device]))

    @rule()
    def acknowledge(self) -> None:
        self._same(self.model.acknowledge(), Verb.ACKNOWLEDGE, None)

    @rule(who=people)
    def accept(self, who: str) -> None:
        holder = self.model.goer
        refused = self._same(self.model.accept(who), Verb.ACCEPT, who)
        if refused is not None and self.model.open:
            assert refused.who == holder, "the second is told who goes"

    @rule(who=people)
    def arrive(self, who: str) -> None:
        self._same(self.model.arrive(who), Verb.ARRIVE, who)

    @rule(who=people)
    def decline(self, who: str) -> None:
        self._same(self.model.decline(who), Verb.DECLINE, who)

    @rule(real=st.booleans())
    def verify(self, real: bool) -> None:
        detail = {"result": "real" if real else "false_alarm", "cause": "cooking", "how": "on_site"}
        self._same(self.model.verify(), Verb.VERIFY, GRID_WORKER.id, detail)

    @rule()
    def close(self) -> None:
        self._same(self.model.close(), Verb.CLOSE, None)

    @precondition(lambda self: self.model.work in ("closed", "evaluated"))
    @rule()
    def evaluate(self) -> None:
        self._same(self.model.evaluate(), Verb.EVALUATE, None)

    @rule(seconds=st.sampled_from((1, 29, 61, 599, 901)))
    def time_passes(self, seconds: int) -> None:
        until = self.model.now + seconds
        while (moment := self._next_look()) is not None and moment <= until:
            self.model.wait(moment - self.model.now)
            self._ask()
        self.model.wait(until - self.model.now)
        self._ask()

    @invariant()
    def both_say_the_same(self) -> None:
        if not self.ledger.incidents:
            return
        incident, model = self.incident, self.model
        told = (incident.work.value, incident.ack.value, incident.condition.value, incident.open)
        assert told == (model.work, model.ack, model.condition, model.open)
        if model.answered and model.open:
            assert incident.due_at == at(model.due or 0.0)
        if incident.work.value in ("taken", "on_site"):
            assert incident.taken_by == model.goer
        assert incident.open is (incident.due_at is not None), "it would be forgotten"

    @property
    def incident(self) -> Incident:
        return self.ledger.incidents["first"]

    @property
    def _holds_key(self) -> bool:
        return self.ledger.holders.get(self.incident.dedup_key) == "first"

    def _world(self) -> World:
        paged = {key: tuple(pages) for key, pages in self.ledger.paged.items()}
        return a_world(a_registry(), now=at(self.model.now), incidents=self.ledger.held(), paged=paged)

    def _fold(self, signal: Any) -> None:
        self.ledger.carry_out(fold([signal], self._world()), at(self.model.now), "signals")

    def _same(self, allowed: bool, verb: Verb, who: str | None, detail: dict[str, Any] | None = None) -> Any:
        """The core allows what the model allows; a refusal changes nothing. None, or the refusal."""
        incident, world = self.incident, self._world()
        actor = an_actor(WORKERS[who] if who else None)
        before = self.model.now
        made = act(incident, verb, actor, detail or {}, self.ledger.paged[incident.id], world)
        assert isinstance(made, d.Refused) is not allowed, (verb, who, made)
        if isinstance(made, d.Refused):
            return made
        notices = self.ledger.carry_out(made, at(before), verb.value)
        if self.incident.answered:
            assert not [each for each in notices if each.purpose is Purpose.PAGE], "somebody goes, and others are asked"
        return None

    def _next_look(self) -> float | None:
        moments = [self.incident.due_at, getattr(self.incident, "acknowledged_until", None)]
        later = [(moment - at(0)).total_seconds() for moment in moments if moment is not None]
        return min((moment for moment in later if moment > self.model.now), default=None)

    def _ask(self) -> None:
        """As the service does: whatever is due, until nothing is."""
        for _ in range(3):
            incident, world = self.incident, self._world()
            pages = self.ledger.paged[incident.id]
            made = next((made for each in TABLE.values() if (made := each(incident, pages, world)) is not None), [])
            if not made:
                return
            self.ledger.carry_out(made, world.now, "due")


TestIncidentMachine = Machine.TestCase
TestIncidentMachine.settings = settings(max_examples=40, stateful_step_count=20, deadline=None, derandomize=True)
