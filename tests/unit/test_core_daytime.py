"""Standing hazards: found at night they wait for the morning, by day they page; and by when they must be gone."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from alerting.core.daytime import STANDING, by_day, due_by
from alerting.core.decisions import Notify, OpenIncident, SetLadder
from alerting.core.fold import SignalIn, fold
from alerting.core.model import Incident, Raised, Reason, Via, Work
from alerting.escalation import TABLE
from devices.signals import SignalKind
from devices.taxonomy import TAXONOMY, SignalClass
from tests.unit.builders import GRID_WORKER, NOW, a_world, an_incident, at, notices, the_ladder, who

ZONE = "Asia/Shanghai"
DAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""Ten in the morning there, a Monday."""


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


def found(code: str = "charge.wire", now: datetime = NOW) -> list[object]:
    signal = SignalIn(
        device_id="",
        kind=SignalKind.SUPERVISORY if TAXONOMY[code].cls is SignalClass.S else SignalKind.ALARM,
        code=code,
        received_at=now,
        observed_at=None,
        test=False,
        fresh_id="i-2",
        fresh_reference="W1RE2",
        place_id="r1201",
        raised=Raised("grid-worker-a", "网格员甲", Via.PATROL),
    )
    world = replace(a_world(), now=now)
    return list(by_day(fold([signal], world), world))


def opened(made: list[object]) -> Incident:
    (incident,) = [each.incident for each in made if isinstance(each, OpenIncident)]
    return incident


@pytest.mark.parametrize("code", sorted(STANDING))
def test_they_are_supervisory(code: str) -> None:
    assert TAXONOMY[code].cls is SignalClass.S


@pytest.mark.parametrize("code", sorted(STANDING))
def test_at_night_nobody_is_asked_before_eight(code: str) -> None:
    made = found(code)
    assert not [each for each in made if isinstance(each, Notify)]
    (ladder,) = [each for each in made if isinstance(each, SetLadder)]
    assert ladder == SetLadder("i-2", 0, 0, local("2026-11-23T08:00:00"), Reason.MORNING)
    incident = opened(made)
    assert (incident.work, incident.due_at, incident.due_reason) == (Work.NEW, ladder.due_at, Reason.MORNING)


def test_by_day_the_first_step_is_asked_at_once() -> None:
    assert [each for each in found(now=DAY) if isinstance(each, Notify)]


def test_a_fire_waits_for_no_morning() -> None:
    made = found("fire.smoke")
    assert [each for each in made if isinstance(each, Notify)]
    assert opened(made).work is Work.DISPATCHED


def test_in_the_morning_the_first_step_is_asked() -> None:
    morning = local("2026-11-23T08:00:00")
    asleep = an_incident("charge.wire", work=Work.NEW, due_at=morning, due_reason=Reason.MORNING)
    early = replace(a_world(), now=at(3600))
    assert TABLE["morning"](asleep, (), early) == []
    made = TABLE["morning"](asleep, (), replace(a_world(), now=morning))
    assert made is not None
    assert {recipient for recipient, _ in who(made)} == {GRID_WORKER.id}
    assert (the_ladder(made).round, the_ladder(made).step) == (0, 0)
    assert TABLE["morning"](replace(asleep, work=Work.TAKEN), (), replace(a_world(), now=morning)) is None
    assert notices(made)


@pytest.mark.parametrize(
    ("opened_at", "until"),
    [
        ("2026-11-23T10:00:00", "2026-11-24T18:00:00"),
        ("2026-11-27T10:00:00", "2026-11-30T18:00:00"),
        ("2026-11-28T23:30:00", "2026-11-30T18:00:00"),
        ("2026-11-29T03:00:00", "2026-11-30T18:00:00"),
    ],
)
def test_it_has_to_be_gone_by_the_end_of_the_next_working_day(opened_at: str, until: str) -> None:
    assert due_by("charge.wire", local(opened_at), ZONE) == local(until)


def test_nothing_else_has_such_a_day() -> None:
    assert due_by("fire.smoke", DAY, ZONE) is None
