"""Promises of the alerting shell on the real database and the real service that no story would notice."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerting.ports import Conflict, Priority
from alerting.seen import LastSeen
from alerting.store import incidents
from alerting.verdicts import Prepared, Urgency
from devices import decode
from devices.signals import RawMessage
from devices.store import seen
from gengfu.database import migrate, open_database
from gengfu.stage import Stage
from simulators.city import load_city
from tests.unit.builders import an_incident

NOW = datetime(2026, 11, 23, 3, 12, tzinfo=UTC)


async def test_only_the_person_who_was_paged_can_confirm_a_page(tmp_path: Path) -> None:
    async with Stage(tmp_path, load_city("xinyang")) as stage:
        mine = await stage.worker_app("worker-a", confirms=False)
        others = await stage.worker_app("worker-b")
        async with mine, others:
            device = stage.device("jd-hy-3-2-1201-smoke")
            await device.start()
            device.raise_alarm("fire.smoke")
            await mine.until(lambda app: bool(app.shown), 10)
            page = mine.shown[0].notification_id
            assert await stage.app.service.received(page, "worker-b") is False
            assert stage.app.hub.receipt_of(page) is None
            assert await stage.app.service.received(page, "worker-a") is True
            await device.stop()


@pytest.mark.parametrize("full", [True, False])
async def test_on_a_full_disk_last_seen_is_refused(database_url: str, full: bool) -> None:
    migrate.upgrade(database_url)
    database = open_database(database_url, monotonic=time.monotonic)
    last_seen = LastSeen(database, lambda: full)
    raw = RawMessage("gengfu/v1/smoke-0001/up/heartbeat", b"{}", NOW)
    last_seen.take([Prepared(raw, decode(raw), Urgency.BACKGROUND)])
    await last_seen.flush()
    known = await database.read(lambda conn: seen.load(conn, ["smoke-0001"]))
    await database.close()
    assert ("smoke-0001" in known) is not full


async def test_a_bulk_change_of_a_stale_incident_changes_none(sqlite_url: str) -> None:
    migrate.upgrade(sqlite_url)
    database = open_database(sqlite_url, monotonic=time.monotonic)
    first = replace(an_incident(), id="i-1", dedup_key="v1:water.leak:a")
    second = replace(first, id="i-2", dedup_key="v1:water.leak:b")
    await database.write(Priority.ALARM, lambda conn: incidents.insert(conn, [first, second]))
    stale = replace(second, version=7)
    with pytest.raises(Conflict):
        await database.write(
            Priority.ALARM, lambda conn: incidents.change(conn, [(first, {"signals": 2}), (stale, {"signals": 2})])
        )
    found = await database.write(Priority.ALARM, lambda conn: incidents.load(conn, ["i-1", "i-2"]))
    await database.close()
    assert [found[key].signals for key in ("i-1", "i-2")] == [first.signals, second.signals]
