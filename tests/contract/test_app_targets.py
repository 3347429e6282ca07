"""Where app carriers find people: read whole and followed, and what is said of them written, on both databases."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from alerting import app_targets
from alerting.app_targets import AppTargets
from devices.model import AppCarrier, Language, PersonKind
from devices.store import people, subscriptions
from devices.store.people import PersonRow
from devices.store.subscriptions import SubscriptionRow
from devices.store.tables_subscriptions import subscriptions as table
from gengfu.clock import RandomIds, SystemClock
from tests.contract.registry_support import Registry

pytest_plugins = ["tests.contract.registry_fixtures"]

IDS, CLOCK = RandomIds(), SystemClock()
NOW = CLOCK.now()


def row(person: str, carrier: AppCarrier, n: int = 0) -> SubscriptionRow:
    push = {"endpoint": f"https://push.example/{person}/{n}", "keys": {"p256dh": "k", "auth": "a"}, "key": "v"}
    target: dict[str, Any] = push if carrier is AppCarrier.WEBPUSH else {"user_id": f"{person}-{n}"}
    return SubscriptionRow(IDS.uuid7(), person, carrier, target, f"phone {n}", NOW + timedelta(seconds=n))


async def add(registry: Registry, *rows: SubscriptionRow) -> None:
    for each in rows:
        await registry.write(lambda conn, each=each: subscriptions.add_or_renew(conn, each))  # type: ignore[misc]


async def a_person(registry: Registry, code: str) -> str:
    person = PersonRow(code, PersonKind.WORKER, code, "网格员", "Worker", Language.ZH_CN)
    await registry.write(lambda conn: people.insert_many(conn, [person]))
    return code


async def until(wish: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not wish():  # noqa: ASYNC110 - another task goes on
            await asyncio.sleep(0.01)


async def test_every_carrier_with_an_account_is_told_where(registry: Registry) -> None:
    jia, yi = await a_person(registry, "jia"), await a_person(registry, "yi")
    first, second = row(jia, AppCarrier.WEBPUSH, 1), row(jia, AppCarrier.WEBPUSH, 2)
    await add(
        registry, first, second, row(jia, AppCarrier.WECOM), row(jia, AppCarrier.FEISHU), row(yi, AppCarrier.WECOM)
    )
    targets = AppTargets(registry.database, CLOCK, ["webpush", "wecom", "twilio"])
    await targets.start()
    found = targets.of(jia)
    assert set(found) == {"webpush", "wecom"}
    assert [each["id"] for each in found["webpush"]["subscriptions"]] == [first.id, second.id]
    assert found["webpush"]["subscriptions"][0] == {**first.target, "id": first.id}
    assert targets.of(yi) == {"wecom": {"user_id": "yi-0"}}
    assert targets.of("nobody") == {}
    await targets.close()


async def test_what_others_write_is_followed(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_targets, "look_every_s", 0.05)
    jia = await a_person(registry, "jia")
    targets = AppTargets(registry.database, CLOCK, ["wecom"])
    await targets.start()
    assert targets.of(jia) == {}
    made = row(jia, AppCarrier.WECOM)
    await add(registry, made)
    await until(lambda: targets.of(jia) == {"wecom": {"user_id": "jia-0"}})
    await registry.write(lambda conn: subscriptions.remove(conn, jia, made.id))
    await until(lambda: targets.of(jia) == {})
    await targets.close()


async def test_a_change_of_our_own_is_seen_at_once(registry: Registry) -> None:
    jia = await a_person(registry, "jia")
    targets = AppTargets(registry.database, CLOCK, ["wecom"])
    await targets.start()
    await add(registry, row(jia, AppCarrier.WECOM))
    targets.forget()
    async with asyncio.timeout(app_targets.look_every_s / 2):
        while not targets.of(jia):  # noqa: ASYNC110 - another task reads
            await asyncio.sleep(0.01)
    await targets.close()


async def test_gone_is_not_used_from_that_moment_on_and_written(registry: Registry) -> None:
    jia = await a_person(registry, "jia")
    first, second = row(jia, AppCarrier.WEBPUSH, 1), row(jia, AppCarrier.WEBPUSH, 2)
    await add(registry, first, second)
    targets = AppTargets(registry.database, CLOCK, ["webpush"])
    await targets.start()
    targets.gone(first.id, "expired")
    assert [each["id"] for each in targets.of(jia)["webpush"]["subscriptions"]] == [second.id]
    await targets.look()
    targets.gone(second.id, "not_found")
    assert targets.of(jia) == {}
    await targets.close()
    rows = await registry.read(lambda conn: subscriptions.of_person(conn, jia))
    assert [each.gone_reason for each in rows] == ["expired", "not_found"]
    await add(registry, row(jia, AppCarrier.WEBPUSH, 1))  # the same browser again
    await targets.look()
    assert [each["id"] for each in targets.of(jia)["webpush"]["subscriptions"]] == [first.id]


async def test_a_browser_with_another_key_is_shown_as_gone_and_lives_again_with_the_key(registry: Registry) -> None:
    jia = await a_person(registry, "jia")
    made = row(jia, AppCarrier.WEBPUSH)
    await add(registry, made)
    targets = AppTargets(registry.database, CLOCK, ["webpush"])
    await targets.start()
    targets.gone(made.id, subscriptions.key_changed)
    assert targets.of(jia) != {}, "its carrier passes it over; a key that is put back finds it"
    await targets.close()
    (shown,) = await registry.read(lambda conn: subscriptions.of_person(conn, jia))
    assert shown.gone_reason == "key_changed"
    again = AppTargets(registry.database, CLOCK, ["webpush"])
    await again.start()
    assert [each["id"] for each in again.of(jia)["webpush"]["subscriptions"]] == [made.id]
    again.sent(made.id)
    await again.close()
    (revived,) = await registry.read(lambda conn: subscriptions.of_person(conn, jia))
    assert (revived.gone_at, revived.gone_reason) == (None, None)


async def test_use_and_receipts_are_written_for_their_own_person_alone(registry: Registry) -> None:
    jia, yi = await a_person(registry, "jia"), await a_person(registry, "yi")
    mine, theirs = row(jia, AppCarrier.WEBPUSH, 1), row(yi, AppCarrier.WEBPUSH, 2)
    await add(registry, mine, theirs)
    targets = AppTargets(registry.database, CLOCK, ["webpush"])
    targets.sent(mine.id)
    targets.confirmed(jia, mine.id)
    targets.confirmed(jia, theirs.id)
    await targets.close()
    (one,) = await registry.read(lambda conn: subscriptions.of_person(conn, jia))
    (other,) = await registry.read(lambda conn: subscriptions.of_person(conn, yi))
    assert one.last_sent_at is not None
    assert one.confirmed_at is not None
    assert (other.last_sent_at, other.confirmed_at) == (None, None)


async def test_a_database_that_is_away_costs_nothing_that_was_known(registry: Registry) -> None:
    jia = await a_person(registry, "jia")
    made = row(jia, AppCarrier.WECOM)
    await add(registry, made)
    targets = AppTargets(registry.database, CLOCK, ["wecom", "webpush"])
    await targets.start()
    await registry.write(lambda conn: table.drop(conn))
    await targets.look()
    assert targets.of(jia) == {"wecom": {"user_id": "jia-0"}}
    targets.gone(made.id, "expired")
    await targets.close()
    await registry.write(lambda conn: table.create(conn))


async def test_without_carriers_nothing_is_read(registry: Registry) -> None:
    targets = AppTargets(registry.database, CLOCK, ["twilio", "aliyun"])
    await registry.write(lambda conn: table.drop(conn))
    await targets.start()
    assert targets.of("jia") == {}
    await targets.close()
    await registry.write(lambda conn: table.create(conn))


async def test_what_has_long_been_gone_is_dropped(registry: Registry) -> None:
    jia = await a_person(registry, "jia")
    old, lately, live = (row(jia, AppCarrier.WEBPUSH, n) for n in range(3))
    await add(registry, old, lately, live)
    await registry.write(lambda conn: subscriptions.note_gone(conn, {old.id: "expired"}, NOW - timedelta(days=40)))
    await registry.write(lambda conn: subscriptions.note_gone(conn, {lately.id: "expired"}, NOW))
    assert await registry.write(lambda conn: subscriptions.forget_before(conn, NOW - timedelta(days=30), 9)) == 1
    left = await registry.read(lambda conn: subscriptions.of_person(conn, jia))
    assert [each.id for each in left] == [lately.id, live.id]
