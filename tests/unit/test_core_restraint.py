"""Restraint: what is folded, what never is, and that a storm stays bounded however it comes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.core.decisions import AddOverlay, AttachSignal, Decision, Fold, Notify, OpenIncident, SetLadder, Withhold
from alerting.core.fold import fold
from alerting.core.model import AttemptState, Incident, Overlay, Paged, Purpose, Reason, Settings
from alerting.core.restraint import Ground, Lately, Recent, concerns, looked_up, pages_most, restrain, window_s
from alerting.core.signal import SignalIn
from alerting.core.world import World
from alerting.escalation import TABLE
from devices.duty.plan import RegistrySnapshot
from devices.model import Channel, PlaceKind
from tests.unit.builders import B3, GRID_WORKER, NOW, a_device, a_place, a_registry, a_signal, a_world, at

DAY = NOW - timedelta(hours=8)
"""Eleven in the morning of the same night's day: no quiet hours."""
FLOORS = tuple(a_place(f"f{n}", PlaceKind.FLOOR, f"{n}层", f"F{n}", B3) for n in range(1, 5))
ROOMS = tuple(
    a_place(f"r{floor.id}-{n}", PlaceKind.ROOM, f"{floor.name[0]}0{n}", f"{floor.name[0]}0{n}", floor)
    for floor in FLOORS
    for n in range(1, 10)
)
DEVICES = tuple(a_device(f"{kind}-{room.id}", room.id) for room in ROOMS for kind in ("smoke", "heat", "bike", "fault"))
CODES = {"smoke": "fire.smoke", "heat": "fire.heat", "bike": "ebike.indoor", "fault": "device.fault"}
ON_FLOOR_1 = [room for room in ROOMS if room.path[-2] == "f1"]


def registry() -> RegistrySnapshot:
    plain = a_registry(devices=DEVICES)
    places = {place.id: place for place in (*FLOORS, *ROOMS)}
    return replace(plain, places={**plain.places, **places})


SNAPSHOT = registry()


@dataclass(slots=True)
class Storm:
    """Carries decisions out in memory, as the shell does, with its look-ups."""

    snapshot: RegistrySnapshot = field(default_factory=lambda: SNAPSHOT)
    core: Settings = field(default_factory=Settings)
    incidents: dict[str, Incident] = field(default_factory=dict)
    pages: dict[str, list[tuple[datetime, Paged]]] = field(default_factory=dict)
    counted: list[tuple[datetime, Recent]] = field(default_factory=list)
    sent: list[tuple[datetime, Notify]] = field(default_factory=list)
    folded: list[tuple[datetime, Fold]] = field(default_factory=list)
    asked_buildings: int = 0
    asked_incidents: int = 0

    def world(self, now: datetime) -> World:
        paged = {id_: [page for _, page in pages] for id_, pages in self.pages.items()}
        return a_world(self.snapshot, now=now, incidents=self.incidents.values(), paged=paged, settings=self.core)

    def hear(self, signals: Sequence[SignalIn], now: datetime) -> list[Decision]:
        world = self.world(now)
        return self.take(fold(signals, world), world)

    def due(self, now: datetime) -> list[Decision]:
        made: list[Decision] = []
        for incident in [each for each in self.incidents.values() if each.due_at is not None and each.due_at <= now]:
            world = self.world(now)
            rules = (rule(incident, world.paged.get(incident.id, ()), world) for rule in TABLE.values())
            decided = next((each for each in rules if each is not None), [])
            made.extend(self.take(decided, world))
        return made

    def take(self, made: list[Decision], world: World) -> list[Decision]:
        ground = Ground(world, dict(self.incidents), world.paged)
        kept: list[Decision] = made
        counted: list[Recent] = []
        if concerns(made):
            asked = looked_up(made, ground)
            self.asked_buildings += bool(asked.buildings)
            self.asked_incidents += bool(asked.incidents)
            kept, counted = restrain(made, ground, self.lately(world.now))
        self.counted.extend((world.now, page) for page in counted)
        for decision in kept:
            self._write(decision, world.now)
        return kept

    def lately(self, now: datetime) -> Lately:
        since = now - timedelta(seconds=window_s)
        recent = tuple(page for moment, page in self.counted if moment > since)
        of_incidents = Counter(
            (page.recipient_id, id_, page.channel)
            for id_, pages in self.pages.items()
            for moment, page in pages
            if moment > since
        )
        return Lately(recent, of_incidents)

    def _write(self, decision: Decision, now: datetime) -> None:
        match decision:
            case OpenIncident(incident, _):
                self.incidents[incident.id] = incident
            case AttachSignal():
                known = self.incidents[decision.incident_id]
                self.incidents[known.id] = replace(known, extent=decision.extent)
            case AddOverlay():
                known = self.incidents[decision.incident_id]
                self.incidents[known.id] = replace(known, overlays=known.overlays | {decision.overlay})
            case SetLadder():
                known = self.incidents[decision.incident_id]
                self.incidents[known.id] = replace(
                    known, round=decision.round, step=decision.step, due_at=decision.due_at
                )
            case Notify():
                page = Paged(
                    "", decision.round, decision.step, decision.recipient_id, decision.channel, decision.purpose,
                    AttemptState.PROVIDER_ACCEPTED,
                )  # fmt: skip
                self.pages.setdefault(decision.incident_id, []).append((now, page))
                self.sent.append((now, decision))
            case Fold():
                self.folded.append((now, decision))
            case _:
                pass

    def to(self, person: str, channel: Channel = Channel.SMS) -> list[Notify]:
        return [each for _, each in self.sent if (each.recipient_id, each.channel) == (person, channel)]


def speaks(room: str, kind: str = "smoke", n: int = 0) -> SignalIn:
    signal = a_signal(f"{kind}-{room}", CODES[kind])
    return replace(signal, fresh_id=f"i-{kind}-{room}-{n}")


def test_a_first_fire_asks_for_no_look_up_and_loses_nothing() -> None:
    storm = Storm()
    made = fold([speaks("rf1-1")], storm.world(NOW))
    assert not concerns(made)
    ground = Ground(storm.world(NOW), {})
    assert not looked_up(made, ground)
    assert restrain(made, ground) == (made, [])


def test_one_floor_in_one_batch_is_three_pages_and_the_rest_is_folded() -> None:
    storm = Storm()
    storm.hear([speaks(room.id) for room in ON_FLOOR_1], NOW)
    for channel in Channel:
        assert len(storm.to(GRID_WORKER.id, channel)) == pages_most
    folded = [fold_.place.zh for _, fold_ in storm.folded if fold_.notice.channel is Channel.SMS]
    mine = [zh for zh in folded if zh.endswith(("104", "105", "106", "107", "108", "109"))]
    assert len(mine) >= 6
    assert all("金鼎小区3栋1层" in zh for zh in folded)


@pytest.mark.parametrize(
    ("room", "kind"), [("rf2-1", "smoke"), ("rf1-9", "heat")], ids=["a new floor", "a second kind of sensor"]
)
def test_what_is_new_always_goes_through(room: str, kind: str) -> None:
    storm = Storm()
    storm.hear([speaks(each.id) for each in ON_FLOOR_1[:8]], NOW)
    before = len(storm.to(GRID_WORKER.id))
    storm.hear([speaks(room, kind)], at(1))
    assert len(storm.to(GRID_WORKER.id)) == before + 1


def test_a_confirmation_always_goes_through() -> None:
    storm = Storm()
    storm.hear([speaks(each.id) for each in ON_FLOOR_1[:8]], NOW)
    before = len(storm.to(GRID_WORKER.id))
    camera = replace(a_signal(f"smoke-{ON_FLOOR_1[0].id}", "fire.manual"), fresh_id="x")
    made = storm.hear([camera], at(1))
    assert len(storm.to(GRID_WORKER.id)) == before + 1
    assert any(isinstance(each, Notify) and each.reason is Reason.CONFIRMED for each in made)


def test_a_folded_room_does_not_begin_the_ladder_anew() -> None:
    storm = Storm()
    storm.hear([speaks(each.id) for each in ON_FLOOR_1[:4]], NOW)
    (incident,) = storm.incidents.values()
    due = incident.due_at
    storm.hear([speaks(ON_FLOOR_1[5].id)], at(20))
    (incident,) = storm.incidents.values()
    assert incident.due_at == due
    assert incident.step == 0
    assert due is not None
    storm.due(due)
    assert any(each.reason is Reason.UNANSWERED for _, each in storm.sent)


def test_after_ten_minutes_a_further_room_is_paged_again() -> None:
    storm = Storm()
    storm.hear([speaks(each.id) for each in ON_FLOOR_1[:6]], NOW)
    before = len(storm.to(GRID_WORKER.id))
    storm.hear([speaks(ON_FLOOR_1[6].id)], at(599))
    assert len(storm.to(GRID_WORKER.id)) == before
    storm.hear([speaks(ON_FLOOR_1[7].id)], at(601))
    assert len(storm.to(GRID_WORKER.id)) == before + 1


def test_many_incidents_of_one_building_fold_by_person_and_channel() -> None:
    storm = Storm()
    storm.hear([speaks(room.id, "bike") for room in ROOMS], DAY)
    assert len(storm.incidents) == len(ROOMS)
    assert len(storm.to(GRID_WORKER.id)) == pages_most
    assert (
        sum(f.notice.channel is Channel.SMS and f.notice.recipient_id == GRID_WORKER.id for _, f in storm.folded)
        == len(ROOMS) - pages_most
    )
    assert all(each.due_at is not None for each in storm.incidents.values())


def test_the_first_of_another_kind_goes_through_where_others_fold() -> None:
    storm = Storm()
    storm.hear([speaks(room.id, "bike") for room in ROOMS[:8]], DAY)
    storm.hear([a_water_leak()], DAY + timedelta(seconds=1))
    assert len(storm.to(GRID_WORKER.id)) == pages_most + 1


def a_water_leak() -> SignalIn:
    return replace(a_signal(f"bike-{ROOMS[0].id}", "water.leak"), fresh_id="i-water")


def test_another_building_has_its_own_count() -> None:
    storm = Storm(snapshot=replace(SNAPSHOT, devices={**SNAPSHOT.devices, "bike-b5": a_device("bike-b5", "b5")}))
    storm.hear([speaks(room.id, "bike") for room in ROOMS[:8]], DAY)
    storm.hear([replace(a_signal("bike-b5", "ebike.indoor"), fresh_id="i-b5")], DAY)
    assert len(storm.to(GRID_WORKER.id)) == pages_most + 1


def a_lane(
    now: datetime, code: str = "water.pressure_low", core: Settings | None = None
) -> tuple[Storm, list[Decision]]:
    storm = Storm(core=core or Settings())
    return storm, storm.hear([replace(a_signal(f"bike-{ROOMS[0].id}", code), fresh_id="i-lane")], now)


def test_at_night_a_supervisory_signal_comes_by_app_alone_and_its_sms_waits_for_seven() -> None:
    storm, made = a_lane(NOW)
    assert storm.to(GRID_WORKER.id, Channel.APP)
    assert not storm.to(GRID_WORKER.id, Channel.SMS)
    (late,) = {(each.until, each.channel) for each in made if isinstance(each, Withhold)}
    assert late == (datetime(2026, 11, 22, 23, 0, tzinfo=NOW.tzinfo), Channel.SMS)  # 07:00 in Xinyang


def test_by_day_and_without_quiet_hours_it_comes_by_sms() -> None:
    assert a_lane(DAY)[0].to(GRID_WORKER.id, Channel.SMS)
    assert a_lane(NOW, core=Settings(night=None))[0].to(GRID_WORKER.id, Channel.SMS)


@pytest.mark.parametrize("code", ["fire.smoke", "gas.co", "person.sos", "elevator.trapped", "ebike.indoor"])
def test_no_alarm_waits_for_the_morning(code: str) -> None:
    storm, made = a_lane(NOW, code)
    assert not any(isinstance(each, Withhold) for each in made)
    assert storm.to(GRID_WORKER.id, Channel.SMS)


@pytest.mark.parametrize("now", [NOW, DAY], ids=["night", "day"])
@pytest.mark.parametrize("code", ["device.fault", "device.low_battery", "gateway.offline", "camera.tamper"])
def test_trouble_is_on_the_control_room_s_screen_and_on_no_phone(code: str, now: datetime) -> None:
    storm, _ = a_lane(now, code)
    assert {(each.recipient_id, each.channel) for _, each in storm.sent} == {("control-room", Channel.APP)}


KINDS = st.sampled_from(list(CODES))
WAVES = st.lists(
    st.tuples(st.integers(1, 120), st.lists(st.tuples(st.sampled_from(ROOMS), KINDS), min_size=1, max_size=40)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(waves=WAVES)
def test_no_storm_loses_what_must_go_out_and_every_storm_is_bounded(
    waves: list[tuple[int, list[tuple[object, str]]]],
) -> None:
    storm, now, n = Storm(), DAY, 0
    for gap, spoken in waves:
        now += timedelta(seconds=gap)
        batch = []
        for room, kind in spoken:
            n += 1
            batch.append(speaks(room.id, kind, n))  # type: ignore[attr-defined]
        world = storm.world(now)
        _nothing_lost(storm, fold(batch, world), world)
        storm.hear(batch, now)
        storm.due(now)
    _bounded(storm)


def _nothing_lost(storm: Storm, made: list[Decision], world: World) -> None:
    """Of life safety only further rooms to somebody paged three times already are folded."""
    kept, _ = restrain(made, Ground(world, dict(storm.incidents), world.paged), storm.lately(world.now))
    out = Counter((each.incident_id, each.round, each.step, each.recipient_id, each.channel) for each in _pages(kept))
    for each in _pages(made):
        if out[each.incident_id, each.round, each.step, each.recipient_id, each.channel]:
            continue
        if each.urgency == 0:
            assert each.reason is Reason.SPREADING
            before = [page for _, page in storm.pages.get(each.incident_id, ())]
            before_now = sum((p.recipient_id, p.channel) == (each.recipient_id, each.channel) for p in before)
            in_batch = sum(
                (p.incident_id, p.recipient_id, p.channel) == (each.incident_id, each.recipient_id, each.channel)
                for p in _pages(kept)
            )
            assert before_now + in_batch >= pages_most
    opened = {each.incident.id for each in made if isinstance(each, OpenIncident)}
    first = [each for each in _pages(made) if each.incident_id in opened and each.urgency == 0]
    assert all(each in kept for each in first if each.reason is Reason.FIRST_SIGNAL)
    moved = [each for each in kept if isinstance(each, SetLadder)]
    assert opened <= {each.incident_id for each in moved}, "an incident without a due time"


def _pages(made: Sequence[Decision]) -> list[Notify]:
    return [each for each in made if isinstance(each, Notify) and each.purpose is Purpose.PAGE]


def _bounded(storm: Storm) -> None:
    """Below life safety: three in ten minutes and the first of each kind. A fire: three and each new floor and kind,
    and the steps of its ladder, which nobody may fold."""
    for person in {each.recipient_id for _, each in storm.sent}:
        for channel in Channel:
            lesser = [
                moment
                for moment, each in storm.sent
                if (each.recipient_id, each.channel) == (person, channel) and each.urgency > 0
            ]
            kinds = 2
            for moment in lesser:
                window = [other for other in lesser if moment <= other < moment + timedelta(seconds=window_s)]
                assert len(window) <= pages_most + kinds
            spreads = [
                moment
                for moment, each in storm.sent
                if (each.recipient_id, each.channel) == (person, channel)
                and each.urgency == 0
                and each.reason in (Reason.FIRST_SIGNAL, Reason.SPREADING)
            ]
            floors_and_kinds = len(FLOORS) + 2
            for moment in spreads:
                window = [other for other in spreads if moment <= other < moment + timedelta(seconds=window_s)]
                assert len(window) <= pages_most + 1 + floors_and_kinds


def test_the_overlay_of_a_first_spread_goes_through_though_he_was_paged_often() -> None:
    """A loop has paged him three times: that it spreads is news all the same."""
    storm = Storm()
    storm.hear([speaks("rf1-1")], NOW)
    (incident,) = storm.incidents.values()
    page = storm.pages[incident.id][0][1]
    storm.pages[incident.id] = [(NOW, replace(page, round=100 + n)) for n in range(5)]
    assert Overlay.SPREADING not in incident.overlays
    before = len(storm.to(GRID_WORKER.id))
    storm.hear([speaks("rf1-2")], at(5))
    assert len(storm.to(GRID_WORKER.id)) == before + 1
