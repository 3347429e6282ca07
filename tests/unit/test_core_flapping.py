"""What comes and goes: when it is only counted, the one work order, and that it silences nobody else."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from alerting.core.decisions import (
    AddOverlay,
    AttachSignal,
    Decision,
    DropOverlay,
    OpenIncident,
    ReleaseKey,
    SetCondition,
)
from alerting.core.extents import first_of_minute, flaps, flaps_above, moves_max, with_move
from alerting.core.fold import FLAPPING, SignalIn, fold, work_order_keys
from alerting.core.model import Condition, Incident, Overlay, Reason
from alerting.core.world import World
from devices.signals import SignalKind
from tests.unit.builders import (
    DEVICES,
    GRID_WORKER,
    NOW,
    a_device,
    a_registry,
    a_restoral,
    a_signal,
    a_world,
    at,
    notices,
    on_all,
    who,
)

KEY, ORDER = "v1:fire:b3", "v1:device.flapping:smoke-1201"


class Building:
    """What is open, signal by signal, as a store would keep it."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or a_world(a_registry(devices=[*DEVICES, a_device("cam-1201", "r1201")]))
        self.made: list[Decision] = []

    def hear(self, seconds: float, *signals: SignalIn) -> list[Decision]:
        self.world = replace(self.world, now=at(seconds))
        made = fold(signals, self.world)
        known = dict(self.world.open)
        for each in made:
            known = kept(known, each)
        self.world = replace(self.world, open=known)
        self.made.extend(made)
        return made

    def flap(self, start: float, moves: int, every_s: float = 5.0) -> list[list[Decision]]:
        """So many transitions, the first of them an alarm."""
        heard = []
        for number in range(moves):
            signal = a_signal(fresh_id=f"i-{start}-{number}") if number % 2 == 0 else a_restoral()
            heard.append(self.hear(start + number * every_s, replace(signal, fresh_id=f"i-{start}-{number}")))
        return heard


def kept(known: dict[str, Incident], made: Decision) -> dict[str, Incident]:
    by_id = {incident.id: incident for incident in known.values()}
    match made:
        case OpenIncident(incident, _):
            return {**known, incident.dedup_key: incident}
        case ReleaseKey(incident_id, _):
            return {key: each for key, each in known.items() if each.id != incident_id}
        case AttachSignal(incident_id, _, _, extent, _):
            after = replace(by_id[incident_id], extent=extent, condition=Condition.ACTIVE)
        case SetCondition(incident_id, condition, _, extent, _):
            after = replace(by_id[incident_id], extent=extent, condition=condition)
        case AddOverlay(incident_id, overlay, _):
            after = replace(by_id[incident_id], overlays=by_id[incident_id].overlays | {overlay})
        case DropOverlay(incident_id, overlay, _):
            after = replace(by_id[incident_id], overlays=by_id[incident_id].overlays - {overlay})
        case _:
            return known
    return {**known, after.dedup_key: after}


def orders(made: Sequence[Decision]) -> list[Incident]:
    return [each.incident for each in made if isinstance(each, OpenIncident) and each.incident.code == FLAPPING]


def logged(made: Sequence[Decision]) -> list[bool]:
    return [each.logged for each in made if isinstance(each, AttachSignal | SetCondition)]


def test_the_seventh_transition_in_ten_minutes_is_flapping_and_gets_one_work_order() -> None:
    building = Building()
    heard = building.flap(0, 20)
    assert who(heard[0]) == on_all(GRID_WORKER), "the first fire transition always notifies"
    assert not any(orders(made) for made in heard[:flaps_above])
    (order,) = orders(heard[flaps_above])
    assert (order.dedup_key, order.cls, order.severity, order.device_id) == (ORDER, "T", 3, "smoke-1201")
    assert AddOverlay("i-0-0", Overlay.FLAPPING, Reason.FLAPPING, "smoke-1201|fire.smoke") in heard[flaps_above]
    assert len(orders(building.made)) == 1
    assert [each.overlay for each in building.made if isinstance(each, AddOverlay)] == [Overlay.FLAPPING]


def test_further_transitions_are_counted_and_the_timeline_gets_one_line_a_minute() -> None:
    building = Building()
    heard = building.flap(0, 60)  # five minutes
    lines = [sum(logged(made)) for made in heard]
    assert lines[: flaps_above + 1] == [0] + [1] * flaps_above, "the opening is another line"
    assert sum(lines[flaps_above + 1 :]) == 4, "one for each further minute"
    assert building.world.open[KEY].condition is Condition.RESTORED, "what holds now is known all the same"


def test_slow_enough_it_never_flaps() -> None:
    building = Building()
    building.flap(0, 30, every_s=101)
    assert not orders(building.made)
    assert not [each for each in building.made if isinstance(each, AddOverlay)]


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        (a_signal("smoke-1202"), Reason.SPREADING),
        (a_signal("smoke-1301"), Reason.SPREADING),
        (a_signal("heat-1201", "fire.heat"), Reason.SPREADING),
        (a_signal("smoke-1201", "fire.heat"), Reason.SPREADING),
        (a_signal("cam-1201", "fire.flame"), Reason.CONFIRMED),
    ],
)
def test_it_silences_no_other_room_no_other_sensor_and_no_other_device(signal: SignalIn, reason: Reason) -> None:
    building = Building()
    building.flap(0, 15)
    made = building.hear(80, signal)
    assert {notice.reason for notice in notices(made)} == {reason}
    assert who(made) == on_all(GRID_WORKER)
    assert who(building.hear(81, a_signal("smoke-b5", fresh_id="b5"))) == on_all(GRID_WORKER), "another building"


def test_another_device_of_the_same_room_is_heard_line_by_line() -> None:
    building = Building(a_world(a_registry(devices=[*DEVICES, a_device("smoke-1201-b", "r1201")])))
    building.flap(0, 15)
    for seconds in (80, 81):
        made = building.hear(seconds, a_signal("smoke-1201-b"), a_restoral("smoke-1201-b"))
        assert logged(made) == [True, True]


def test_after_ten_quiet_minutes_it_counts_afresh() -> None:
    building = Building()
    building.flap(0, 14)
    made = building.hear(65 + 600, a_signal())
    assert DropOverlay("i-0-0", Overlay.FLAPPING, Reason.CALM) in made
    assert logged(made) == [True]
    again = building.flap(700, 7)
    assert any(Overlay.FLAPPING is each.overlay for made in again for each in made if isinstance(each, AddOverlay))
    assert len(orders(building.made)) == 1, "its work order is still open"


def test_a_whole_batch_at_once_opens_one_work_order_and_never_a_second_holder_of_its_key() -> None:
    batch = [replace(a_signal() if n % 2 == 0 else a_restoral(), fresh_id=f"i-{n}") for n in range(30)]
    assert work_order_keys(batch, {}) == {ORDER}
    made = fold(batch, a_world())
    assert len(orders(made)) == 1
    known = {each.incident.dedup_key: each.incident for each in made if isinstance(each, OpenIncident)}
    again = fold([replace(each, fresh_id=f"j-{n}") for n, each in enumerate(batch)], replace(a_world(), open=known))
    assert not orders(again)


def test_the_work_order_is_asked_for_only_where_it_may_come() -> None:
    assert work_order_keys([a_signal()], {}) == set()
    building = Building()
    building.flap(0, flaps_above)
    assert work_order_keys([a_signal()], building.world.open) == {ORDER}
    assert work_order_keys([a_signal("smoke-1202")], building.world.open) == set()


def test_all_well_ends_no_work_order_and_counts_as_a_transition() -> None:
    building = Building()
    for number in range(8):
        building.hear(number * 10, a_signal(fresh_id=f"a{number}"))
        building.hear(number * 10 + 5, replace(a_restoral("smoke-1201", "device.restore"), fresh_id=f"r{number}"))
    assert len(orders(building.made)) == 1
    assert building.world.open[ORDER].condition is Condition.ACTIVE


def test_a_tester_may_press_as_often_as_he_likes() -> None:
    held = a_registry(devices=[a_device("smoke-1201", "r1201", test_mode_until=at(3600))])
    building = Building()
    building.hear(0, a_signal("smoke-1301"))
    building.world = replace(building.world, snapshot=held)
    building.flap(1, 20)
    assert not orders(building.made)


def test_it_is_a_trouble_of_its_own_kind() -> None:
    building = Building()
    building.flap(0, 7)
    assert work_order_keys([a_signal()] * 7, {}) == {ORDER}
    assert a_signal("smoke-1201", FLAPPING).kind is SignalKind.TROUBLE


@pytest.mark.parametrize(
    ("seconds", "count"),
    [([0, 1, 2, 3, 4, 5], 0), ([0, 1, 2, 3, 4, 5, 6], 7), ([0, 100, 200, 300, 400, 500, 600], 0), (range(50), 7)],
)
def test_how_often_it_moved(seconds: Sequence[int], count: int) -> None:
    moves: tuple[str, ...] = ()
    for each in seconds:
        moves = with_move(moves, "a|fire.smoke", at(each))
        moves = with_move(moves, "a|fire.heat", at(each)) if each % 10 == 0 else moves
    assert flaps(moves, "a|fire.smoke", at(max(seconds))) == count


def test_moves_are_bounded() -> None:
    moves: tuple[str, ...] = ()
    for number in range(3 * moves_max):
        moves = with_move(moves, f"d-{number}|fire.smoke", at(number / 100))
    assert len(moves) == moves_max
    assert flaps(with_move(moves, "x|fire.smoke", at(9999)), "x|fire.smoke", at(9999)) == 0


def test_a_minute_is_one_of_the_clock() -> None:
    start = datetime(2026, 11, 22, 19, 12, 58, tzinfo=NOW.tzinfo)
    moves = with_move((), "a|x", start)
    assert first_of_minute(moves, "a|x")
    moves = with_move(moves, "a|x", start + timedelta(seconds=1))
    assert not first_of_minute(moves, "a|x")
    assert first_of_minute(with_move(moves, "a|x", start + timedelta(seconds=3)), "a|x")
