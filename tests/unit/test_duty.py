"""Standing duty, the night rule, leave, cover, neighbours, desks and stewards: who is told, one story each."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from alerting.core.ladder import climb
from alerting.core.model import Policy, Reason
from alerting.core.policy import choose
from devices.duty.plan import Leave, Override, Pattern, RegistrySnapshot, Scoped, Slot
from devices.duty.standing import Stand, Why, standing
from devices.model import BESIDE, LADDER, Channel, Person, PersonKind, Placement, Role
from devices.resolve import place_device
from devices.taxonomy import TAXONOMY
from tests.unit.builders import (
    COMMUNITY_DUTY,
    GRID,
    NOW,
    a_policy,
    a_registry,
    a_shift,
    a_step,
    a_worker,
    a_world,
    an_incident,
    at,
    on_all,
    shifts_of,
    skipped,
    who,
)

JIA, YI, BING = (a_worker(id_, f"网格员{name}", id_) for id_, name in (("jia", "甲"), ("yi", "乙"), ("bing", "丙")))
STEWARD = a_worker("steward", "楼栋长", "Building steward")
DESK = a_worker("desk", "物业值班台", "Property desk")
CREW = (JIA, YI, BING, STEWARD, DESK, COMMUNITY_DUTY)
DAY = NOW + timedelta(hours=9)
"""Noon; NOW is past three at night."""
NIGHT_RULE = (22 * 60, 7 * 60)
MORNING = datetime.fromisoformat("2026-11-23T07:00+08:00")


def registry(*shifts: Role, **changes: object) -> RegistrySnapshot:
    """A grid without a roster: two members; with these usual shifts of other roles."""
    plain = a_registry(people=CREW, shifts=shifts_of(*shifts))
    return replace(plain, **{"members": {GRID: ("jia", "yi")}, **changes})  # type: ignore[arg-type]


def cover(person: Person, kind: str = "cover", replaces: str | None = None, hours: int = 2) -> Scoped:
    begun = NOW - timedelta(hours=1)
    ends = begun + timedelta(hours=hours)
    return Scoped(overrides=(Override("o1", kind, Role.GRID_WORKER, person.id, replaces, GRID, None, begun, ends),))


def stands(snapshot: RegistrySnapshot, role: Role = Role.GRID_WORKER, now: datetime = NOW) -> list[Stand]:
    placement = place_device(snapshot, "smoke-1201")
    assert isinstance(placement, Placement)
    return list(standing(snapshot, placement, role, now))


def names(snapshot: RegistrySnapshot, role: Role = Role.GRID_WORKER, now: datetime = NOW) -> list[tuple[str, str]]:
    return [(stand.person.id, stand.reason.value) for stand in stands(snapshot, role, now)]


def asking(*roles: Role) -> Policy:
    """One SMS to each of these steps, half a minute apart."""
    return a_policy(*(a_step(30 * number, role) for number, role in enumerate(roles)))


def test_the_ladder_is_the_contracts_and_posts_beside_it_are_no_steps() -> None:
    steps = "grid_worker deputy neighbour_grid chair_or_secretary community_duty street_duty control_room"
    assert [role.value for role in LADDER] == steps.split()
    assert set(LADDER) | set(BESIDE) | {Role.HOUSEHOLD} == set(Role), "a household stands on no roster"
    assert not set(LADDER) & set(BESIDE)


def test_a_grid_without_a_roster_has_standing_duty_the_first_named_is_primary() -> None:
    assert names(registry()) == [("jia", "standing_duty")]
    assert names(registry(), Role.DEPUTY) == [("yi", "standing_duty")]
    (stand,) = stands(registry())
    assert (stand.source_id, stand.until) == (GRID, None)


def test_a_roster_that_covers_now_sends_the_members_home() -> None:
    shift = a_shift(Role.GRID_WORKER, "bing", grid=GRID, hours=(at(-60), at(60)))
    rostered = registry(shifts_by_grid={GRID: (shift,)})
    assert names(rostered) == [("bing", "planned_shift")]
    assert names(rostered, Role.DEPUTY) == []
    assert names(rostered, now=at(60)) == [("jia", "standing_duty")], "the roster has ended"
    assert stands(rostered)[0].until == at(60)


def test_a_pattern_names_several_people_by_rank_each_until_its_slot_ends() -> None:
    slots = (
        Slot(0, 0, 480, Role.GRID_WORKER, "yi", 1),
        Slot(0, 1320, 420, Role.GRID_WORKER, "bing", 0),
        Slot(0, 0, 480, Role.DEPUTY, "jia"),
    )
    pattern = Pattern("p1", GRID, None, "Asia/Shanghai", date(2026, 11, 1), None, 1, slots)
    rostered = registry(planned_by_grid={GRID: Scoped((pattern,))})
    assert names(rostered) == [("bing", "pattern"), ("yi", "pattern")]
    assert names(rostered, Role.DEPUTY) == [("jia", "pattern")]
    assert [stand.until for stand in stands(rostered)] == [MORNING, MORNING + timedelta(hours=1)]
    ended = replace(pattern, last_day=date(2026, 11, 21))
    assert names(registry(planned_by_grid={GRID: Scoped((ended,))})) == [("jia", "standing_duty")]


def test_at_night_the_communitys_duty_list_goes_first_and_the_grids_own_people_follow() -> None:
    quiet = registry(Role.COMMUNITY_DUTY, night_rules={GRID: NIGHT_RULE})
    assert names(quiet) == [("community-duty", "night_rule")]
    assert names(quiet, Role.DEPUTY) == [("jia", "standing_duty"), ("yi", "standing_duty")]
    assert stands(quiet)[0].until == MORNING
    assert names(quiet, now=DAY) == [("jia", "standing_duty")]


def test_the_night_rule_wakes_the_grid_where_the_community_has_nobody() -> None:
    assert names(registry(night_rules={GRID: NIGHT_RULE})) == [("jia", "standing_duty")]


def test_the_night_rule_yields_to_a_roster_and_to_whoever_covers() -> None:
    shift = a_shift(Role.GRID_WORKER, "bing", grid=GRID, hours=(at(-60), at(60)))
    rule = {GRID: NIGHT_RULE}
    rostered = registry(Role.COMMUNITY_DUTY, night_rules=rule, shifts_by_grid={GRID: (shift,)})
    assert names(rostered) == [("bing", "planned_shift")]
    covered = registry(Role.COMMUNITY_DUTY, night_rules=rule, planned_by_grid={GRID: cover(BING)})
    assert names(covered) == [("bing", "cover")]


def test_while_the_first_is_on_leave_the_next_one_stands() -> None:
    away = registry(leaves={"jia": (Leave(at(-60), at(60)),)})
    assert names(away) == [("yi", "standing_duty")]
    assert names(away, Role.DEPUTY) == []
    assert names(away, now=at(60)) == [("jia", "standing_duty")]
    everybody = {id_: (Leave(at(-60), at(60)),) for id_ in ("jia", "yi")}
    assert names(registry(leaves=everybody)) == []


def test_who_has_left_stands_nowhere_from_that_instant() -> None:
    people = {each.id: each for each in CREW} | {"jia": replace(JIA, left_at=at(10))}
    assert names(registry(people=people), now=at(9)) == [("jia", "standing_duty")]
    assert names(registry(people=people), now=at(10)) == [("yi", "standing_duty")]


def test_i_cover_relieves_the_whole_step_until_it_ends() -> None:
    covered = registry(planned_by_grid={GRID: cover(BING)})
    assert names(covered) == [("bing", "cover")]
    assert stands(covered)[0].until == NOW + timedelta(hours=1)
    assert names(covered, now=NOW + timedelta(hours=1)) == [("jia", "standing_duty")]


def test_who_stands_in_for_one_takes_his_place_and_only_where_he_would_stand() -> None:
    for_first = registry(planned_by_grid={GRID: cover(BING, "override", "jia")})
    assert names(for_first) == [("bing", "override")]
    assert names(for_first, Role.DEPUTY) == [("yi", "standing_duty")]
    for_second = registry(planned_by_grid={GRID: cover(BING, "override", "yi")})
    assert names(for_second) == [("jia", "standing_duty")], "yi does not stand on this step"


def test_a_cover_by_somebody_who_is_away_leaves_the_step_as_it_was() -> None:
    away = registry(planned_by_grid={GRID: cover(BING)}, leaves={"bing": (Leave(at(-60), at(60)),)})
    assert names(away) == [("jia", "standing_duty")]


def test_an_override_for_somebody_who_has_left_stands_for_its_time() -> None:
    people = {each.id: each for each in CREW if each.id != "jia"}
    left = registry(people=people, planned_by_grid={GRID: cover(BING, "override", "jia")})
    assert names(left) == [("bing", "override")]


def test_the_first_neighbour_that_has_somebody_helps_and_an_explicit_helper_wins() -> None:
    near = registry(members={"n2": ("bing",), "n3": ("yi",)}, neighbours={GRID: ("n1", "n2", "n3")})
    assert names(near, Role.NEIGHBOUR_GRID) == [("bing", "neighbour_on_duty")]
    assert stands(near, Role.NEIGHBOUR_GRID)[0].source_id == "n2"
    named = replace(near, shifts_by_grid={GRID: (a_shift(Role.NEIGHBOUR_GRID, "yi", grid=GRID),)})
    assert names(named, Role.NEIGHBOUR_GRID) == [("yi", "standing_duty")]


@pytest.mark.parametrize(("hours", "asked"), [((22 * 60, 7 * 60), True), ((8 * 60, 20 * 60), False), (None, True)])
def test_volunteers_are_asked_within_their_hours_only(hours: tuple[int, int] | None, asked: bool) -> None:
    people = {each.id: each for each in CREW}
    people["jia"] = replace(JIA, kind=PersonKind.VOLUNTEER, hours=hours)
    assert (("jia", "standing_duty") in names(registry(people=people))) is asked


def test_a_steward_is_told_where_no_desk_is_and_at_night_only_with_consent() -> None:
    steward = a_shift(Role.BUILDING_STEWARD, "steward", place="b3")
    desk = a_shift(Role.PROPERTY_DESK, "desk", place="compound", hours=(at(-60), at(60)))
    alone = registry(shifts_by_place={"b3": (steward,)})
    assert names(alone, Role.BUILDING_STEWARD, DAY) == [("steward", "standing_duty")]
    assert names(alone, Role.BUILDING_STEWARD) == [], "at night, without consent"
    willing = replace(alone, people={**alone.people, "steward": replace(STEWARD, night_calls=True)})
    assert names(willing, Role.BUILDING_STEWARD) == [("steward", "standing_duty")]
    both = replace(willing, shifts_by_place={"b3": (steward,), "compound": (desk,)})
    assert names(both, Role.PROPERTY_DESK) == [("desk", "planned_shift")]
    assert names(both, Role.BUILDING_STEWARD) == []
    assert names(both, Role.BUILDING_STEWARD, at(60)) == [("steward", "standing_duty")], "the desk has closed"


def test_the_chair_of_a_compound_is_asked_before_the_secretary_of_the_community() -> None:
    role = Role.CHAIR_OR_SECRETARY
    chair, secretary = a_shift(role, "jia", place="compound"), a_shift(role, "yi", place="community")
    both = registry(shifts_by_place={"compound": (chair,), "community": (secretary,)})
    assert [id_ for id_, _ in names(both, role)] == ["jia", "yi"]
    assert [id_ for id_, _ in names(replace(both, shifts_by_place={"community": (secretary,)}), role)] == ["yi"]


def test_the_ladder_climbs_past_leave_and_an_empty_neighbour_without_waiting() -> None:
    away = registry(Role.COMMUNITY_DUTY, leaves={id_: (Leave(at(-60), at(60)),) for id_ in ("jia", "yi")})
    incident = an_incident(policy=asking(*LADDER))
    made = climb(incident, a_world(away), (), index=0, round_=0, reason=Reason.STEP_START)
    assert who(made) == [("community-duty", "sms")]
    assert skipped(made) == [(number, Reason.NOBODY_ON_DUTY) for number in range(4)]


def test_the_ladder_at_night_asks_the_community_then_the_grid() -> None:
    quiet = registry(Role.COMMUNITY_DUTY, night_rules={GRID: NIGHT_RULE})
    incident = an_incident(policy=asking(Role.GRID_WORKER, Role.DEPUTY))
    first = climb(incident, a_world(quiet), (), index=0, round_=0, reason=Reason.STEP_START)
    assert who(first) == [("community-duty", "sms")]
    second = climb(incident, a_world(quiet), (), index=1, round_=0, reason=Reason.UNANSWERED)
    assert who(second) == [("jia", "sms"), ("yi", "sms")]


def test_a_policy_may_name_the_posts_beside_the_ladder() -> None:
    desk = a_shift(Role.PROPERTY_DESK, "desk", place="compound")
    step = replace(a_step(0, Role.GRID_WORKER, *BESIDE), channels=(Channel.VOICE,))
    incident = an_incident(policy=a_policy(step))
    staffed = registry(shifts_by_place={"compound": (desk,)})
    made = climb(incident, a_world(staffed), (), index=0, round_=0, reason=Reason.STEP_START)
    assert who(made) == [("desk", "voice"), ("jia", "voice")]


def test_the_default_for_what_can_kill_asks_a_property_desk_at_once_where_there_is_one() -> None:
    desk = a_shift(Role.PROPERTY_DESK, "desk", place="compound")
    first = choose((), TAXONOMY["fire.smoke"], (), NOW, "Asia/Shanghai").steps[0]
    assert first.to == (Role.GRID_WORKER, Role.PROPERTY_DESK, Role.BUILDING_STEWARD, Role.HOUSEHOLD)
    incident = an_incident()
    with_desk = registry(shifts_by_place={"compound": (desk,)})
    made = climb(incident, a_world(with_desk), (), index=0, round_=0, reason=Reason.FIRST_SIGNAL)
    assert who(made) == on_all(JIA, DESK)
    without = climb(incident, a_world(registry()), (), index=0, round_=0, reason=Reason.FIRST_SIGNAL)
    assert who(without) == on_all(JIA)


def test_every_reason_is_said_in_both_languages() -> None:
    from api.words import ON_DUTY

    assert ON_DUTY.keys() == {why.value for why in Why}
