"""Small values for tests of the core: one compound, its people on duty, signals and incidents. Asserts nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from alerting.core.decisions import Decision, Notify, SetLadder, SkipStep
from alerting.core.fold import SignalIn
from alerting.core.model import (
    Ack,
    Actor,
    AttemptState,
    Condition,
    Extent,
    Incident,
    Loop,
    Match,
    Overlay,
    Paged,
    Policy,
    Purpose,
    Reason,
    Redial,
    Settings,
    Step,
    Work,
)
from alerting.core.places import place_text
from alerting.core.policy import choose
from alerting.core.world import World
from devices.model import (
    Channel,
    ContactPoint,
    Device,
    DeviceState,
    Language,
    Person,
    PersonKind,
    Place,
    PlaceKind,
    Placement,
    Role,
    Shift,
)
from devices.resolve import RegistrySnapshot, place_device
from devices.signals import SignalKind
from devices.taxonomy import TAXONOMY

NOW = datetime(2026, 11, 22, 19, 12, tzinfo=UTC)
"""12 minutes past three at night in Xinyang."""
ALL = (Channel.SMS, Channel.VOICE, Channel.APP)
GRID = "grid-3"
KIND_OF = {"A": SignalKind.ALARM, "S": SignalKind.SUPERVISORY, "T": SignalKind.TROUBLE, "I": SignalKind.TEST}


def at(seconds: float) -> datetime:
    """That many seconds into the night."""
    return NOW + timedelta(seconds=seconds)


def a_place(id_: str, kind: PlaceKind, name: str, name_en: str, under: Place | None = None) -> Place:
    return Place(id_, kind, name, name_en, (*(under.path if under else ()), id_))


def a_device(id_: str, place_id: str | None, **changes: Any) -> Device:
    device = Device(id_, "smoke_detector", place_id, DeviceState.COMMISSIONED)
    return replace(device, **changes)


def a_worker(
    id_: str, name: str, name_en: str, channels: Iterable[Channel] = ALL, language: Language = Language.ZH_CN
) -> Person:
    """`channels` are the ones on which this person can be reached."""
    contacts = tuple(ContactPoint(channel, f"{channel.value}:{id_}") for channel in channels)
    return Person(id_, PersonKind.WORKER, name, name_en, language, contacts)


def a_shift(
    role: Role,
    person_id: str,
    *,
    grid: str | None = None,
    place: str | None = None,
    hours: tuple[datetime, datetime] | None = None,
    rank: int = 0,
) -> Shift:
    starts, ends = hours or (None, None)
    return Shift(f"{role.value}:{person_id}", role, person_id, grid, place, starts, ends, rank)


STREET = a_place("street", PlaceKind.STREET, "金牛山街道", "Jinniushan")
COMMUNITY = a_place("community", PlaceKind.COMMUNITY, "金鼎社区", "Jinding Cmty", STREET)
COMPOUND = a_place("compound", PlaceKind.COMPOUND, "金鼎小区", "Jinding Garden", COMMUNITY)
SHED = a_place("shed", PlaceKind.PART, "2号充电棚", "shed 2", COMPOUND)
B3 = a_place("b3", PlaceKind.BUILDING, "3栋", "B3", COMPOUND)
B3F12 = a_place("b3f12", PlaceKind.FLOOR, "12层", "F12", B3)
B3F13 = a_place("b3f13", PlaceKind.FLOOR, "13层", "F13", B3)
R1201 = a_place("r1201", PlaceKind.ROOM, "1201", "1201", B3F12)
R1202 = a_place("r1202", PlaceKind.ROOM, "1202", "1202", B3F12)
R1301 = a_place("r1301", PlaceKind.ROOM, "1301", "1301", B3F13)
B5 = a_place("b5", PlaceKind.BUILDING, "5号楼", "B5", COMPOUND)
PLACES = (STREET, COMMUNITY, COMPOUND, SHED, B3, B3F12, B3F13, R1201, R1202, R1301, B5)

DEVICES = (
    a_device("smoke-1201", "r1201"),
    a_device("heat-1201", "r1201"),
    a_device("smoke-1202", "r1202"),
    a_device("smoke-1301", "r1301"),
    a_device("smoke-b5", "b5"),
    a_device("shed-2", "shed"),
    a_device("nowhere-1", None),
)

GRID_WORKER = a_worker("grid-worker-a", "网格员甲", "Grid worker A")
DEPUTY = a_worker("deputy-b", "副网格员乙", "Deputy B")
COMMUNITY_DUTY = a_worker("community-duty", "社区值班员", "Community duty")
STREET_DUTY = a_worker("street-duty", "街道值班员", "Street duty")
CONTROL_ROOM = a_worker("control-room", "消控室", "Control room")
STAFF = (GRID_WORKER, DEPUTY, COMMUNITY_DUTY, STREET_DUTY, CONTROL_ROOM)
SHIFTS = (
    a_shift(Role.GRID_WORKER, GRID_WORKER.id, grid=GRID),
    a_shift(Role.DEPUTY, DEPUTY.id, grid=GRID),
    a_shift(Role.COMMUNITY_DUTY, COMMUNITY_DUTY.id, place="community"),
    a_shift(Role.STREET_DUTY, STREET_DUTY.id, place="street"),
    a_shift(Role.CONTROL_ROOM, CONTROL_ROOM.id),
)


def shifts_of(*roles: Role) -> tuple[Shift, ...]:
    """The usual shifts of these roles alone."""
    return tuple(shift for shift in SHIFTS if shift.role in roles)


def a_registry(
    *, people: Sequence[Person] = STAFF, shifts: Sequence[Shift] = SHIFTS, devices: Sequence[Device] = DEVICES
) -> RegistrySnapshot:
    """The compound, with these people on duty."""
    by_grid: dict[str, tuple[Shift, ...]] = {}
    by_place: dict[str, tuple[Shift, ...]] = {}
    for shift in shifts:
        if shift.grid_id is not None:
            by_grid[shift.grid_id] = (*by_grid.get(shift.grid_id, ()), shift)
        elif shift.place_id is not None:
            by_place[shift.place_id] = (*by_place.get(shift.place_id, ()), shift)
    return RegistrySnapshot(
        devices={device.id: device for device in devices},
        places={place.id: place for place in PLACES},
        grid_of_place={"compound": GRID},
        people={person.id: person for person in people},
        shifts_by_grid=by_grid,
        shifts_by_place=by_place,
        shifts_global=tuple(shift for shift in shifts if shift.grid_id is None and shift.place_id is None),
    )


def a_world(
    registry: RegistrySnapshot | None = None,
    *,
    now: datetime = NOW,
    incidents: Iterable[Incident] = (),
    paged: Mapping[str, Sequence[Paged]] | None = None,
    policies: Sequence[Policy] = (),
    settings: Settings | None = None,
) -> World:
    """`incidents` hold their keys."""
    return World(
        now=now,
        snapshot=registry or a_registry(),
        settings=settings or Settings(),
        policies=tuple(policies),
        open={incident.dedup_key: incident for incident in incidents},
        paged={incident_id: tuple(pages) for incident_id, pages in (paged or {}).items()},
    )


def a_signal(device_id: str = "smoke-1201", code: str = "fire.smoke", **changes: Any) -> SignalIn:
    """An alarm, supervisory or trouble by its code; `kind=SignalKind.RESTORAL` ends it."""
    signal = SignalIn(
        device_id=device_id,
        kind=KIND_OF[TAXONOMY[code].cls.value],
        code=code,
        received_at=NOW,
        observed_at=NOW,
        test=False,
        fresh_id=f"i-{device_id}-{code}",
        fresh_reference="K7F3P",
    )
    return replace(signal, **changes)


def a_restoral(device_id: str = "smoke-1201", code: str = "fire.smoke") -> SignalIn:
    return a_signal(device_id, code, kind=SignalKind.RESTORAL)


def a_step(
    after_s: int, *to: Role, channels: tuple[Channel, ...] = (Channel.SMS,), redial: Redial | None = None
) -> Step:
    return Step(after_s, to, channels, redial)


NEIGHBOUR_STEP, CHAIR_STEP, COMMUNITY_STEP, LAST_STEP, LOOP_STEP = range(2, 7)
"""Indices of the built-in ladder behind grid worker and deputy; the loop stands behind the last step."""


def a_policy(*steps: Step, loop: Loop | None = None, match: Match | None = None, name: str = "by-hand") -> Policy:
    return Policy(name, match or Match(), steps, loop or Loop(60, (Role.CONTROL_ROOM,)))


def an_incident(code: str = "fire.smoke", device_id: str = "smoke-1201", **changes: Any) -> Incident:
    """A dispatched incident whose first step was asked just now, under the default policy of its code."""
    hazard = TAXONOMY[code]
    placed = place_device(a_registry(), device_id)
    placement = placed if isinstance(placed, Placement) else None
    incident = Incident(
        id="i-1",
        reference="K7F3P",
        dedup_key="v1:fire:b3",
        code=code,
        cls=hazard.cls,
        severity=hazard.severity,
        condition=Condition.ACTIVE,
        ack=Ack.NONE,
        work=Work.DISPATCHED,
        device_id=device_id,
        place_id=placement.place_id if placement else None,
        grid_id=placement.grid_id if placement else None,
        place_text=place_text(placement, device_id),
        opened_at=NOW,
        policy=choose((), hazard, (), NOW, "Asia/Shanghai"),
        extent=Extent((f"{device_id}|{code}",), ("b3f12",), (code,), ("r1201",)),
        due_at=at(30),
        due_reason=Reason.UNANSWERED,
    )
    return replace(incident, **changes)


def taken_by(person: Person, incident: Incident, seconds: float = 0) -> Incident:
    """The incident after this person has said that he goes."""
    return replace(incident, work=Work.TAKEN, taken_by=person.id, taken_at=at(seconds), due_at=at(seconds + 900))


def marked(incident: Incident, *overlays: Overlay) -> Incident:
    return replace(incident, overlays=incident.overlays | set(overlays))


def a_page(
    person: Person,
    channel: Channel = Channel.SMS,
    state: AttemptState = AttemptState.DELIVERED,
    *,
    round_: int = 0,
    step: int = 0,
    purpose: Purpose = Purpose.PAGE,
) -> Paged:
    return Paged(f"n-{person.id}-{channel}-{round_}-{step}", round_, step, person.id, channel, purpose, state)


def pages_to(person: Person, *, round_: int = 0, step: int = 0) -> list[Paged]:
    """Delivered on all three channels."""
    return [a_page(person, channel, round_=round_, step=step) for channel in ALL]


def an_actor(person: Person | None = None, via: str = "voice") -> Actor:
    """A worker, or without one somebody at the console."""
    if person is None:
        return Actor("login-1", "消控室值班员", "console")
    return Actor(person.id, person.name, via, person.id)


def notices(decisions: Iterable[Decision], purpose: Purpose = Purpose.PAGE) -> list[Notify]:
    return [made for made in decisions if isinstance(made, Notify) and made.purpose is purpose]


def who(decisions: Iterable[Decision], purpose: Purpose = Purpose.PAGE) -> list[tuple[str, str]]:
    """Whom these decisions tell, and how: sorted pairs of person and channel."""
    return sorted((notice.recipient_id, notice.channel.value) for notice in notices(decisions, purpose))


def on_all(*people: Person) -> list[tuple[str, str]]:
    return sorted((person.id, channel.value) for person in people for channel in ALL)


def skipped(decisions: Iterable[Decision]) -> list[tuple[int, Reason]]:
    return [(made.step, made.reason) for made in decisions if isinstance(made, SkipStep)]


def the_ladder(decisions: Iterable[Decision]) -> SetLadder:
    """The one word on when the incident is looked at again."""
    (ladder,) = [made for made in decisions if isinstance(made, SetLadder)]
    return ladder
