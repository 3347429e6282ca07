"""Rows of commands on both databases: planned once, claimed by one, ended once; who may be commanded, and where."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import Connection

from alerting.core.commands import Actuator, CommandState
from alerting.core.model import Action
from alerting.store import commands
from alerting.store.commands import Command, Filter, Permission, resend_s
from devices.model import PlaceKind
from devices.store import devices, models, places
from devices.store.models import ModelRow
from devices.store.places import PlaceRow
from devices.store.scope import Scope
from tests.contract.registry_support import NOW, Registry, device

pytest_plugins = ["tests.contract.registry_fixtures"]

CUT, SIREN = Action.CUT_POWER, Action.SOUND_SIREN
BUILDING = ("city", "street", "community", "compound", "building")


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def a_command(id_: str = "c-1", **changes: object) -> Command:
    row = Command(
        id=id_,
        key=f"i-1|{id_}",
        incident_id="i-1",
        device_id="smoke-0001",
        action=CUT,
        args={"port": 3},
        state=CommandState.PLANNED,
        planned_at=NOW,
        expires_at=after(60),
        asked_by="gengfu",
        asked_by_name="gengfu",
    )
    return replace(row, **changes)  # type: ignore[arg-type]


async def planned(city: Registry, *rows: Command) -> set[str]:
    return await city.write(lambda conn: commands.plan(conn, rows))


async def due(city: Registry, seconds: float) -> list[str]:
    return [each.id for each in await city.write(lambda conn: commands.take_due(conn, after(seconds), 10))]


async def one(city: Registry, id_: str = "c-1") -> Command:
    found = await city.read(lambda conn: commands.get(conn, id_))
    assert found is not None
    return found


async def test_a_command_comes_back_as_it_went_in(city: Registry) -> None:
    assert await planned(city, a_command()) == {"c-1"}
    assert await one(city) == a_command()


async def test_one_key_is_planned_once_and_commands_by_hand_as_often_as_asked(city: Registry) -> None:
    assert await planned(city, a_command("c-1", key="k"), a_command("c-2", key="k")) == {"c-1"}
    assert await planned(city, a_command("c-3", key="k")) == set()
    assert await planned(city, a_command("c-4", key=None), a_command("c-5", key=None)) == {"c-4", "c-5"}


async def test_it_comes_again_until_it_is_answered_or_has_expired(city: Registry) -> None:
    await planned(city, a_command())
    assert not await city.read(lambda conn: commands.any_due(conn, after(-1)))
    assert await city.read(lambda conn: commands.any_due(conn, NOW))
    assert await due(city, 0) == ["c-1"]
    assert await due(city, resend_s - 0.1) == [], "it is on its way"
    assert await due(city, resend_s) == ["c-1"]
    assert (await one(city)).sends == 2
    assert await due(city, 60) == [], "nobody may obey it any more"
    assert await due(city, 75) == []
    assert await city.read(lambda conn: commands.expired_ids(conn, after(60), 9)) == ["c-1"]
    assert await city.read(lambda conn: commands.expired_ids(conn, after(59.9), 9)) == []


async def test_what_is_refused_is_never_due(city: Registry) -> None:
    await planned(city, a_command(state=CommandState.REFUSED, reason="not_permitted"))
    assert await due(city, 5) == []
    assert await city.read(lambda conn: commands.expired_ids(conn, after(99), 9)) == []
    assert not await city.write(lambda conn: commands.settle(conn, "c-1", CommandState.DONE, NOW))


async def test_two_gateways_never_take_one_command_at_once(city: Registry) -> None:
    await planned(city, *(a_command(f"c-{n}") for n in range(20)))
    taken = await asyncio.gather(*(due(city, 0) for _ in range(4)))
    assert sorted(id_ for ids in taken for id_ in ids) == sorted(f"c-{n}" for n in range(20))


@pytest.mark.parametrize("first", [CommandState.DONE, CommandState.FAILED, CommandState.EXPIRED])
async def test_it_ends_once(city: Registry, first: CommandState) -> None:
    await planned(city, a_command())
    assert await city.write(lambda conn: commands.mark_sent(conn, "c-1", after(1)))
    assert not await city.write(lambda conn: commands.mark_sent(conn, "c-1", after(2)))
    assert (await one(city)).sent_at == after(1)
    values = {"charging": False}
    assert await city.write(
        lambda conn: commands.settle(conn, "c-1", first, after(3), reason="relay", values=values, told=0)
    )
    for later in (CommandState.DONE, CommandState.FAILED, CommandState.EXPIRED):
        assert not await city.write(partial(commands.settle, command_id="c-1", state=later, now=after(4)))
    assert not await city.write(lambda conn: commands.mark_sent(conn, "c-1", after(5)))
    ended = await one(city)
    assert (ended.state, ended.reason, ended.values, ended.told) == (first, "relay", values, 0)
    assert (ended.answered_at is None) is (first is CommandState.EXPIRED)
    assert await due(city, 30) == []


async def test_what_is_still_live_is_the_newest_word_of_each_device(city: Registry) -> None:
    await planned(
        city,
        a_command("c-1", state=CommandState.FAILED),
        a_command("c-2", device_id="charger-2", state=CommandState.EXPIRED),
        a_command("c-3", device_id="charger-2", state=CommandState.DONE, planned_at=after(9)),
        a_command("c-4", device_id="charger-3", state=CommandState.REFUSED),
        a_command("c-5", device_id="siren-1", action=SIREN, state=CommandState.FAILED),
    )
    assert await city.read(lambda conn: commands.still_live(conn, "i-1")) == ["smoke-0001"]


async def test_how_many_failures_were_told(city: Registry) -> None:
    await planned(city, a_command("c-1", told=0), a_command("c-2", told=1), a_command("c-3"))
    assert await city.read(lambda conn: commands.told(conn, "i-1")) == 2
    assert await city.read(lambda conn: commands.told(conn, "i-2")) == 0


async def test_lists_newest_first_by_device_incident_and_state_within_a_scope(city: Registry) -> None:
    await city.write(lambda conn: devices.insert_many(conn, [device("nowhere-1", None)]))
    await planned(
        city,
        a_command("c-1"),
        a_command("c-2", device_id="nowhere-1", incident_id=None),
        a_command("c-3", state=CommandState.DONE),
    )

    async def listed(**wanted: object) -> list[str]:
        return [c.id for c in await city.read(lambda conn: commands.page(conn, Filter(**wanted), None, 9))]  # type: ignore[arg-type]

    assert await listed() == ["c-3", "c-2", "c-1"]
    assert await listed(device_id="nowhere-1") == ["c-2"]
    assert await listed(incident_id="i-1", state=CommandState.DONE) == ["c-3"]
    assert await listed(within=Scope(("city/street",))) == ["c-3", "c-1"]
    assert await listed(within=Scope(("elsewhere",))) == []
    older = await city.read(lambda conn: commands.page(conn, Filter(), "c-3", 1))
    assert [each.id for each in older] == ["c-2"]
    assert await city.read(lambda conn: commands.seen(conn, "c-2", Scope(("city",)))) is None


async def test_the_audit_is_told_of_each_once(city: Registry) -> None:
    await planned(city, a_command("c-1"), a_command("c-2", audited_at=NOW))
    assert await city.read(commands.any_unaudited)
    assert [each.id for each in await city.write(lambda conn: commands.unaudited(conn, 9))] == ["c-1"]
    await city.write(lambda conn: commands.mark_audited(conn, ["c-1"], after(1)))
    assert not await city.read(commands.any_unaudited)


async def test_old_ones_are_forgotten_but_never_one_that_waits(city: Registry) -> None:
    await planned(
        city, a_command("c-1"), a_command("c-2", state=CommandState.DONE), a_command("c-3", planned_at=after(9))
    )
    assert await city.write(lambda conn: commands.forget_before(conn, after(5), 10)) == 1
    left = await city.read(lambda conn: commands.page(conn, Filter(), None, 9))
    assert [each.id for each in left] == ["c-3", "c-1"]


# ---- who may be commanded ------------------------------------------------------------


def a_city(conn: Connection) -> None:
    """Two stations of one model in the room, one elsewhere, a port, a siren on the roof, a plain detector."""
    roof = PlaceRow("roof", PlaceKind.PART, "楼顶", "roof", (*BUILDING, "roof"))
    places.insert_many(conn, [roof, PlaceRow("shop", PlaceKind.PART, "商铺", "shop", (*BUILDING[:4], "shop"))])
    models.insert_many(
        conn,
        [
            ModelRow("m-1", "station", "Maker", "C4", "charging_station", actions=("cut_power",)),
            ModelRow("m-2", "plain", "Maker", "S1", "smoke_detector"),
        ],
    )
    stations = [replace(device(f"charger-{n}"), model_id="m-1") for n in (1, 2)]
    elsewhere = replace(device("charger-9", "shop"), model_id="m-1")
    port = replace(device("charger-1-p1"), model_id="m-1", parent_id="charger-1")
    plain = replace(device("smoke-0002"), model_id="m-2")
    devices.insert_many(conn, [*stations, elsewhere, port, plain, device("siren-1", "roof")])
    commands.permit(conn, "siren-1", Permission(SIREN, own=True, permitted=True, permitted_by="admin"))
    commands.permit(conn, "charger-1", Permission(CUT, permitted=True))


async def test_what_stands_at_the_place_and_declared_it(city: Registry) -> None:
    await city.write(a_city)
    found = await city.read(lambda conn: commands.actuators(conn, CUT, place_id="room", device_id="smoke-0001"))
    assert found == [Actuator("charger-1", CUT, True), Actuator("charger-2", CUT, False)]
    spoke = await city.read(lambda conn: commands.actuators(conn, CUT, place_id=None, device_id="charger-9"))
    assert spoke == [Actuator("charger-9", CUT, False)]


async def test_sirens_of_the_building_only(city: Registry) -> None:
    await city.write(a_city)
    commands_of = commands.actuators
    found = await city.read(
        lambda conn: commands_of(conn, SIREN, place_id="room", device_id="smoke-0001", building=BUILDING)
    )
    assert found == [Actuator("siren-1", SIREN, True)]
    path = (*BUILDING[:4], "shop")
    assert (
        await city.read(lambda conn: commands_of(conn, SIREN, place_id="shop", device_id="charger-9", building=path))
        == []
    )


async def test_a_device_declares_by_its_model_or_by_itself(city: Registry) -> None:
    await city.write(a_city)

    async def known(device_id: str) -> dict[Action, tuple[bool, bool]]:
        rows = await city.read(lambda conn: commands.permissions(conn, device_id))
        return {each.action: (each.declared, each.permitted) for each in rows}

    assert await known("charger-2") == {CUT: (True, False), SIREN: (False, False)}
    assert await known("charger-1") == {CUT: (True, True), SIREN: (False, False)}
    assert await known("siren-1") == {CUT: (False, False), SIREN: (True, True)}
    assert await known("smoke-0002") == {CUT: (False, False), SIREN: (False, False)}
    await city.write(lambda conn: commands.permit(conn, "siren-1", Permission(SIREN, own=False)))
    assert await known("siren-1") == {CUT: (False, False), SIREN: (False, False)}
