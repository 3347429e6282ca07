"""Rows of testing on both databases: what waits, what runs, what is to be sent; who comes second is told."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection

from alerting.core.held import Held
from alerting.core.model import AttemptState
from alerting.core.walk_test import Criteria, Lack, Rehearsal, WalkState, WalkTest, WouldCall
from alerting.ports import Conflict
from alerting.store import held, probes, retention, test_sessions, walk_tests
from alerting.store.probes import Probe
from alerting.store.test_sessions import SessionRow
from alerting.walk_tests import abort, begin_session, conclude, end_session
from devices.model import Channel, DeviceState, Language, Shift
from devices.model import Role as Step
from devices.store import audit, devices, people, shifts, test_mode
from devices.store.scope import Scope
from devices.store.shifts import ShiftRow
from tests.contract.registry_support import NOW, Registry, contact, device, person

pytest_plugins = ["tests.contract.registry_fixtures"]


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def a_held(id_: str, device_id: str = "smoke-0001", room: str = "room", due: float = 180) -> Held:
    return Held(id_, "K7F3P", device_id, "fire.smoke", "building", room, NOW, None, after(due))


def a_test(id_: str = "t-1", device_id: str = "smoke-0001") -> WalkTest:
    return WalkTest(id_, device_id, NOW, after(180), "login-1", "安装员甲", Criteria(180, False, -110))


def a_probe(id_: str, **changes: object) -> Probe:
    probe = Probe(
        id_, "contact", Channel.SMS, "+8613800138000", Language.ZH_CN, "验证码", NOW, after(60), after(600), "c-1"
    )
    return replace(probe, **changes)  # type: ignore[arg-type]


def a_session(id_: str, ends: float, place_id: str | None = None) -> SessionRow:
    return SessionRow(id_, place_id, NOW, after(ends), "login-1", "安装员甲")


async def test_what_waits_is_found_by_device_and_by_building(city: Registry) -> None:
    near, far = a_held("h-1"), replace(a_held("h-2", "smoke-0002"), building_id="other")
    await city.write(lambda conn: held.insert(conn, [near, far]))
    assert await city.write(lambda conn: held.around(conn, ["smoke-0001"], [])) == {"h-1": near}
    assert await city.write(lambda conn: held.around(conn, [], ["other"])) == {"h-2": far}
    assert await city.write(lambda conn: held.around(conn, [], [])) == {}
    assert await city.write(lambda conn: held.waiting(conn, 10)) == {"h-1": near, "h-2": far}


async def test_one_alarm_is_held_once_and_ends_once(city: Registry) -> None:
    await city.write(lambda conn: held.insert(conn, [a_held("h-1")]))
    with pytest.raises(Conflict):
        await city.write(lambda conn: held.insert(conn, [a_held("h-2")]))
    await city.write(lambda conn: held.end(conn, "h-1", after(5), "test_restored", None))
    with pytest.raises(Conflict):
        await city.write(lambda conn: held.end(conn, "h-1", after(6), "not_restored", "i-1"))
    await city.write(lambda conn: held.insert(conn, [a_held("h-2")]))
    newest = await city.read(lambda conn: held.newest_of(conn, "smoke-0001", NOW))
    assert newest is not None
    assert newest["outcome"] is None
    assert await city.read(lambda conn: held.newest_of(conn, "smoke-0001", after(1))) is None


@pytest.mark.parametrize(
    ("rows", "seconds", "found"),
    [
        ([], 999, False),
        ([a_held("h-1")], 179, False),
        ([a_held("h-1")], 180, True),
        ([a_held("h-1"), a_held("h-2", "smoke-0002")], 5, False),
        ([a_held("h-1"), a_held("h-2", "smoke-0002", "room-2")], 5, True),
    ],
)
async def test_the_sweep_sees_what_is_due_and_two_rooms(
    city: Registry, rows: list[Held], seconds: float, found: bool
) -> None:
    await city.write(lambda conn: held.insert(conn, rows))
    assert await city.read(lambda conn: held.any_to_look_at(conn, after(seconds))) is found


async def test_nothing_waits_longer_than_a_hold(city: Registry) -> None:
    """The wall clock was set back while we were down."""
    await city.write(lambda conn: held.insert(conn, [a_held("h-1", due=9_999)]))
    assert await city.write(lambda conn: held.bring_forward(conn, after(180))) == 1
    assert await city.write(lambda conn: held.bring_forward(conn, after(180))) == 0
    assert (await city.write(lambda conn: held.waiting(conn, 9)))["h-1"].due_at == after(180)


async def test_a_test_comes_back_as_it_went_in(city: Registry) -> None:
    call = WouldCall("jia", "网格员甲", 0, Channel.SMS, "+8613800138000", "zh-CN", "火警")
    whole = replace(
        a_test(),
        state=WalkState.FAILED,
        alarm_at=after(3),
        alarm_code="fire.smoke",
        restored_at=after(9),
        signal_dbm=-71.5,
        signal_at=after(3),
        rehearsal=Rehearsal((call,), ((0, "nobody_on_duty"),)),
        paged=True,
        ended_at=after(180),
        lacks=(Lack.PAGED, Lack.WEAK_SIGNAL),
    )
    await city.write(lambda conn: walk_tests.add(conn, whole))
    assert await city.read(lambda conn: walk_tests.newest_of(conn, "smoke-0001")) == whole


async def test_one_test_runs_per_device_and_a_stale_one_is_not_saved(city: Registry) -> None:
    await city.write(lambda conn: walk_tests.add(conn, a_test()))
    with pytest.raises(Exception, match=r"(?i)unique"):
        await city.write(lambda conn: walk_tests.add(conn, a_test("t-2")))
    running = await city.write(lambda conn: walk_tests.running(conn, ["smoke-0001", "none"]))
    heard = replace(running["smoke-0001"], alarm_at=after(2), alarm_code="fire.smoke")
    await city.write(lambda conn: walk_tests.save(conn, [heard]))
    with pytest.raises(Conflict):
        await city.write(lambda conn: walk_tests.save(conn, [heard]))
    assert (await city.read(lambda conn: walk_tests.all_running(conn, 9)))[0].version == 2


async def test_one_real_message_per_compound_and_day(city: Registry) -> None:
    claims = [("compound", "2026-05-01"), ("compound", "2026-05-01"), ("compound", "2026-05-02"), ("b", "2026-05-01")]

    def claim(compound: str, day: str) -> Callable[..., bool]:
        return lambda conn: walk_tests.claim_day(conn, compound, day, "t-1")

    assert [await city.write(claim(*each)) for each in claims] == [True, False, True, True]


async def test_a_passed_test_commissions_on_the_record_and_ends_test_mode(city: Registry) -> None:
    def prepare(conn: Connection) -> None:
        devices.insert_many(conn, [replace_state("smoke-0002", DeviceState.INSTALLED)])
        walk_tests.add(conn, a_test(device_id="smoke-0002"))
        test_mode.set_until(conn, ["smoke-0002"], after(180))

    await city.write(prepare)
    passed = replace(a_test(device_id="smoke-0002"), state=WalkState.PASSED, ended_at=after(9))
    await city.write(lambda conn: conclude(conn, [passed], after(9)))
    row = await city.read(lambda conn: devices.get(conn, "smoke-0002"))
    assert row is not None
    assert (row.device.state, row.device.test_mode_until) == (DeviceState.COMMISSIONED, None)
    (entry,) = [each.entry for each in await city.read(lambda conn: audit.page(conn, None, 9))]
    assert (entry.act, entry.actor, entry.via, entry.object_id) == ("commission", "安装员甲", "service", "smoke-0002")


@pytest.mark.parametrize("state", [WalkState.FAILED, WalkState.ABORTED])
async def test_a_test_that_did_not_pass_commissions_nothing(city: Registry, state: WalkState) -> None:
    def prepare(conn: Connection) -> None:
        devices.insert_many(conn, [replace_state("smoke-0002", DeviceState.INSTALLED)])
        walk_tests.add(conn, a_test(device_id="smoke-0002"))

    await city.write(prepare)
    if state is WalkState.ABORTED:
        await city.write(lambda conn: abort(conn, "smoke-0002", after(5)))
    else:
        await city.write(lambda conn: conclude(conn, [replace(a_test(device_id="smoke-0002"), state=state)], after(5)))
    row = await city.read(lambda conn: devices.get(conn, "smoke-0002"))
    assert row is not None
    assert row.device.state is DeviceState.INSTALLED


@pytest.mark.parametrize(
    ("state", "commissioned"),
    [
        (DeviceState.REGISTERED, True),
        (DeviceState.INSTALLED, True),
        (DeviceState.COMMISSIONED, True),
        (DeviceState.REMOVED, False),
    ],
)
async def test_which_states_a_passed_test_may_leave(city: Registry, state: DeviceState, commissioned: bool) -> None:
    await city.write(lambda conn: devices.insert_many(conn, [replace_state("smoke-0002", state)]))
    assert await city.write(lambda conn: test_mode.commission(conn, "smoke-0002", NOW)) is commissioned


async def test_a_session_that_ends_early_leaves_what_another_one_says(city: Registry) -> None:
    def until() -> Callable[..., datetime | None]:
        return lambda conn: test_mode.until(conn, "smoke-0001")

    await city.write(lambda conn: begin_session(conn, a_session("s-1", 600), ["smoke-0001"]))
    await city.write(lambda conn: begin_session(conn, a_session("s-2", 300), ["smoke-0001"]))
    assert await city.read(until()) == after(600)
    assert await city.write(lambda conn: end_session(conn, "s-1", after(10)))
    assert await city.read(until()) == after(300)
    assert not await city.write(lambda conn: end_session(conn, "s-1", after(11)))
    assert await city.write(lambda conn: end_session(conn, "s-2", after(20)))
    assert await city.read(until()) is None
    running = await city.read(lambda conn: test_sessions.page(conn, None, 9, after(30), running=True))
    every = await city.read(lambda conn: test_sessions.page(conn, None, 9, after(30), running=False))
    assert ([row.id for row in running], [row.id for row in every]) == ([], ["s-2", "s-1"])


@pytest.mark.parametrize(("place_id", "stays"), [(None, True), ("building", False)])
async def test_a_device_that_passed_stays_in_test_mode_only_where_it_was_named(
    city: Registry, place_id: str | None, stays: bool
) -> None:
    await city.write(lambda conn: begin_session(conn, a_session("s-1", 600, place_id), ["smoke-0001"]))
    await city.write(lambda conn: walk_tests.add(conn, a_test()))
    passed = replace(a_test(), state=WalkState.PASSED, ended_at=after(9))
    await city.write(lambda conn: conclude(conn, [passed], after(9)))
    assert (await city.read(lambda conn: test_mode.until(conn, "smoke-0001")) is not None) is stays


async def test_a_session_is_seen_by_who_sees_all_its_devices(city: Registry) -> None:
    await city.write(lambda conn: devices.insert_many(conn, [device("smoke-0002", None)]))
    await city.write(lambda conn: begin_session(conn, a_session("s-1", 600), ["smoke-0001"]))
    await city.write(lambda conn: begin_session(conn, a_session("s-2", 600), ["smoke-0001", "smoke-0002"]))
    building = Scope(("city/street/community/compound/building",))
    for within, seen in ((building, ["s-1"]), (Scope(()), []), (Scope(), ["s-2", "s-1"])):
        rows = await city.read(
            lambda conn, within=within: test_sessions.page(conn, None, 9, after(1), running=True, within=within)  # type: ignore[misc]
        )
        assert [row.id for row in rows] == seen
        one = await city.read(lambda conn, within=within: test_sessions.get(conn, "s-2", within))  # type: ignore[misc]
        assert (one is not None) is within.everything


async def test_whole_building_means_what_is_not_commissioned_there(city: Registry) -> None:
    rows = [
        replace_state("a-installed", DeviceState.INSTALLED),
        replace_state("b-registered", DeviceState.REGISTERED),
        replace_state("c-commissioned", DeviceState.COMMISSIONED),
        replace_state("d-removed", DeviceState.REMOVED),
        replace_state("e-elsewhere", DeviceState.INSTALLED, "compound"),
    ]
    await city.write(lambda conn: devices.insert_many(conn, rows))
    path = "city/street/community/compound/building"
    found = await city.read(lambda conn: test_mode.not_commissioned_below(conn, path, 9))
    assert found == ["a-installed", "b-registered"]


async def test_whoever_stands_on_a_roster_is_no_installer(city: Registry) -> None:
    await city.write(lambda conn: people.insert_many(conn, [person("bing")]))
    await city.write(lambda conn: people.add_contacts(conn, [replace(contact("9", "bing"), address="+8613900139000")]))
    assert await city.read(lambda conn: test_mode.on_a_roster(conn, "+8613800138000"))
    assert not await city.read(lambda conn: test_mode.on_a_roster(conn, "+8613900139000"))
    planned = Shift("s-9", Step.STREET_DUTY, "bing", None, "street", None, None)
    await city.write(lambda conn: shifts.insert_many(conn, [ShiftRow(planned)]))
    assert await city.read(lambda conn: test_mode.on_a_roster(conn, "+8613900139000"))


async def test_a_probe_is_claimed_once_repeated_once_and_never_late(city: Registry) -> None:
    await city.write(lambda conn: probes.add(conn, a_probe("p-1")))

    def claim(seconds: float, channels: tuple[Channel, ...] = (Channel.SMS,)) -> Callable[..., list[Probe]]:
        return lambda conn: probes.claim(conn, after(seconds), 1, channels, 9)

    assert await city.read(lambda conn: probes.any_due(conn, NOW, (Channel.SMS,)))
    assert not await city.read(lambda conn: probes.any_due(conn, NOW, (Channel.APP,)))
    assert await city.write(claim(0, (Channel.VOICE,))) == []
    assert [each.id for each in await city.write(claim(0))] == ["p-1"]
    assert await city.write(claim(1)) == [], "leased"
    assert [each.id for each in await city.write(claim(16))] == ["p-1"], "its sender died"
    assert await city.write(claim(32)) == [], "a second repeat is none"
    assert (await _probe(city, "p-1")).state is AttemptState.UNKNOWN
    await city.write(lambda conn: probes.add(conn, a_probe("p-2")))
    assert await city.write(claim(60)) == []
    late = await _probe(city, "p-2")
    assert (late.state, late.text) == (AttemptState.EXPIRED, "")


async def test_words_about_a_probe_only_raise_its_state_and_strangers_are_told_apart(city: Registry) -> None:
    await city.write(lambda conn: probes.add(conn, a_probe("p-1")))
    claimed = (await city.write(lambda conn: probes.claim(conn, NOW, 1, (Channel.SMS,), 9)))[0]
    await city.write(lambda conn: probes.settle(conn, claimed, AttemptState.PROVIDER_ACCEPTED, "SM1"))
    assert await city.write(lambda conn: probes.receive(conn, "p-1", AttemptState.DELIVERED, "SM1", ""))
    assert await city.write(lambda conn: probes.receive(conn, "p-1", AttemptState.SENT, "SM1", ""))
    found = await _probe(city, "p-1")
    assert (found.state, found.text) == (AttemptState.DELIVERED, ""), "the code is not kept"
    assert not await city.write(lambda conn: probes.receive(conn, "p-9", AttemptState.SENT, "", ""))


async def test_a_calls_script_is_kept_while_it_lasts(city: Registry) -> None:
    await city.write(lambda conn: probes.add(conn, a_probe("p-1", channel=Channel.VOICE, text="script")))
    claimed = (await city.write(lambda conn: probes.claim(conn, NOW, 1, (Channel.VOICE,), 9)))[0]
    await city.write(lambda conn: probes.settle(conn, claimed, AttemptState.PROVIDER_ACCEPTED, "CA1"))
    assert await city.read(lambda conn: probes.call_script(conn, "p-1")) == "script"
    assert await city.read(lambda conn: probes.call_script(conn, "none")) is None


async def test_old_probes_go_and_numbers_are_counted(city: Registry) -> None:
    for number in range(3):
        await city.write(lambda conn, n=number: probes.add(conn, a_probe(f"p-{n}")))  # type: ignore[misc]
    assert await city.write(lambda conn: probes.sent_since(conn, Channel.SMS, "+8613800138000", after(-1))) == 3
    assert await city.write(lambda conn: probes.sent_since(conn, Channel.VOICE, "+8613800138000", after(-1))) == 0
    assert await city.write(lambda conn: probes.sent_since(conn, Channel.SMS, "+8613800138000", NOW)) == 0
    assert await city.write(lambda conn: probes.delete_before(conn, after(1), 2)) == 2
    assert await city.write(lambda conn: probes.delete_before(conn, after(1), 2)) == 1


async def _probe(city: Registry, probe_id: str) -> Probe:
    found = await city.write(lambda conn: probes.get(conn, probe_id))
    assert found is not None
    return found


def replace_state(id_: str, state: DeviceState, place_id: str = "room") -> devices.DeviceRow:
    row = device(id_, place_id)
    return replace(row, device=replace(row.device, state=state))


async def test_old_tests_go_and_what_waits_stays(city: Registry) -> None:
    over = replace(a_test(), state=WalkState.FAILED, ended_at=after(180))

    def prepare(conn: Connection) -> None:
        held.insert(conn, [a_held("h-1"), a_held("h-2", "smoke-0002")])
        held.end(conn, "h-1", after(5), "test_restored", None)
        walk_tests.add(conn, over)
        walk_tests.add(conn, a_test("t-2", "smoke-0002"))
        begin_session(conn, a_session("s-1", 600), ["smoke-0001"])

    await city.write(prepare)
    assert await city.write(lambda conn: retention.delete_tests(conn, after(9_999), 2)) == 2
    assert await city.write(lambda conn: retention.delete_tests(conn, after(9_999), 2)) == 1
    assert await city.write(lambda conn: retention.delete_tests(conn, after(9_999), 2)) == 0
    assert list(await city.write(lambda conn: held.waiting(conn, 9))) == ["h-2"]
    assert [each.id for each in await city.read(lambda conn: walk_tests.all_running(conn, 9))] == ["t-2"]
