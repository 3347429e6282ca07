"""Hundreds of test rounds, each from a seed, in virtual time: restored in time nobody is called, else people are.

A tester goes through a building with its detectors in test mode; now and then one does not restore, or two rooms speak.
"""

import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from alerting.core.fold import SignalIn, fold, fold_held
from alerting.core.model import Reason, Settings
from alerting.core.world import World
from devices.signals import SignalKind
from tests.simulation.ledger import Ledger
from tests.unit.builders import NOW, a_device, a_registry, at

rounds = 250
hold_s = 180
ROOMS = {"smoke-1201": "r1201", "heat-1201": "r1201", "smoke-1202": "r1202", "smoke-1301": "r1301"}
REGISTRY = a_registry(devices=[a_device(id_, room, test_mode_until=at(86_400)) for id_, room in ROOMS.items()])


class Round:
    """`play`: alarms and restorals in virtual time; every due time is met to the second."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.ledger = Ledger()
        self.alarms: list[tuple[str, datetime, datetime | None]] = []
        """(signal's id, when, restored when)."""
        self.last_word: dict[str, SignalKind] = {}
        self._world = World(NOW, REGISTRY, Settings(test_hold_s=hold_s))

    def play(self) -> None:
        agenda: list[tuple[datetime, SignalIn]] = []
        moment = 0.0
        for number in range(self.dice.randint(1, 6)):
            moment += self.dice.uniform(1, 400)
            device = self.dice.choice(sorted(ROOMS))
            ends = moment + self.dice.uniform(1, 2 * hold_s) if self.dice.random() < 0.8 else None
            alarm = SignalIn(device, SignalKind.ALARM, "fire.smoke", at(moment), None, False, f"i-{number}", "K7F3P")
            agenda.append((at(moment), alarm))
            if ends is not None:
                agenda.append((at(ends), replace(alarm, kind=SignalKind.RESTORAL, fresh_id=f"r-{number}")))
            self.alarms.append((alarm.fresh_id, at(moment), None if ends is None else at(ends)))
        for when, signal in sorted(agenda, key=lambda entry: entry[0]):
            self._until(when)
            self.ledger.carry_out(fold([signal], self._at(when)), when, "signals")
            self.last_word[signal.device_id] = signal.kind
        self._until(at(moment + 10 * hold_s))

    def _until(self, when: datetime) -> None:
        while dues := [held.due_at for held in self.ledger.waiting.values() if held.due_at <= when]:
            self.ledger.carry_out(fold_held(self._at(min(dues))), min(dues), "held")

    def _at(self, now: datetime) -> World:
        open_ = {each.dedup_key: each for each in self.ledger.held()}
        return replace(self._world, now=now, held=dict(self.ledger.waiting), open=open_)


def played(seed: int) -> Round:
    one = Round(seed)
    try:
        one.play()
    except AssertionError as broken:
        pytest.fail(f"seed {seed}: {broken}")
    return one


@pytest.fixture(scope="module")
def all_played() -> list[Round]:
    return [played(seed) for seed in range(rounds)]


def test_a_lone_alarm_pages_exactly_when_it_is_not_restored_in_time(all_played: list[Round]) -> None:
    settled = paged = 0
    for seed, one in enumerate(all_played):
        assert not one.ledger.waiting, f"seed {seed}: something waits for ever"
        for alarm_id, when, restored in one.alarms:
            end = one.ledger.ends.get(alarm_id)
            if end is None or len(one.alarms) > 1:
                continue  # it repeated, joined an incident, or another room spoke
            at_, reason, incident = end
            in_time = restored is not None and restored < when + timedelta(seconds=hold_s)
            assert (incident is None) is in_time, f"seed {seed}"
            assert at_ == (restored if in_time else when + timedelta(seconds=hold_s)), f"seed {seed}"
            assert reason is (Reason.TEST_RESTORED if in_time else Reason.NOT_RESTORED)
            settled += in_time
            paged += not in_time
    assert min(settled, paged) > 10, "too few of one kind to prove anything"


def test_whatever_is_held_either_pages_within_its_time_or_was_restored_within_it(all_played: list[Round]) -> None:
    """With several alarms: rooms speak together, alarms repeat, incidents are open already."""
    reasons: dict[Reason, int] = {}
    for seed, one in enumerate(all_played):
        alarms = {alarm_id: when for alarm_id, when, _ in one.alarms}
        for held_id, (when, reason, incident) in one.ledger.ends.items():
            reasons[reason] = reasons.get(reason, 0) + 1
            assert when <= alarms[held_id] + timedelta(seconds=hold_s), f"seed {seed}: it waited too long"
            assert (incident is None) is (reason is Reason.TEST_RESTORED), f"seed {seed}"
        heard = {entry.split("|")[0] for each in one.ledger.incidents.values() for entry in each.extent.active}
        alarming = {device for device, word in one.last_word.items() if word is SignalKind.ALARM}
        assert alarming <= heard, f"seed {seed}: an alarm that never ended called nobody"
    assert {Reason.TEST_RESTORED, Reason.NOT_RESTORED, Reason.TWO_ROOMS} <= reasons.keys()


@pytest.mark.parametrize("seed", [0, 7, 42])
def test_the_same_seed_is_the_same_round(seed: int) -> None:
    assert played(seed).ledger == played(seed).ledger
