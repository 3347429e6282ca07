"""Alarm tests of devices: insert, load those that run, save, read the newest. Never decides."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from alerting.core.walk_test import Criteria, Lack, Rehearsal, WalkState, WalkTest
from alerting.ports import Conflict
from alerting.store.tables_testing import real_messages, walk_tests
from devices.store.lists import one_of

_RUNNING = select(walk_tests).where(walk_tests.c.state == WalkState.RUNNING.value).order_by(walk_tests.c.id)
_OLDEST_RUNNING = _RUNNING.limit(bindparam("most"))
_RUNNING_OF = _RUNNING.where(one_of(walk_tests.c.device_id, "devices")).with_for_update()


def add(conn: Connection, test: WalkTest) -> None:
    """IntegrityError where one is running for the device already."""
    fixed = {
        "id": test.id,
        "device_id": test.device_id,
        "started_at": test.started_at,
        "started_by": test.started_by,
        "started_by_name": test.started_by_name,
        "limit_s": test.criteria.limit_s,
        "restores": test.criteria.restores,
        "signal_dbm_min": test.criteria.signal_dbm_min,
        "version": test.version,
    }
    conn.execute(insert(walk_tests).values(**fixed, **_changing(test)))


def running(conn: Connection, device_ids: Collection[str]) -> dict[str, WalkTest]:
    """Those that run for these devices, locked, by device."""
    if not device_ids:
        return {}
    return {row.device_id: _test(row) for row in conn.execute(_RUNNING_OF, {"devices": list(device_ids)})}


def all_running(conn: Connection, most: int) -> list[WalkTest]:
    """The oldest that run, to look at."""
    return [_test(row) for row in conn.execute(_OLDEST_RUNNING, {"most": most})]


def save(conn: Connection, tests: Iterable[WalkTest]) -> None:
    """Write over the version that was loaded, which goes up by one; Conflict where somebody else was faster."""
    for test in tests:
        query = update(walk_tests).where(walk_tests.c.id == test.id, walk_tests.c.version == test.version)
        if conn.execute(query.values(**_changing(test), version=test.version + 1)).rowcount != 1:
            raise Conflict(f"alarm test {test.id} was changed by another writer")


def newest_of(conn: Connection, device_id: str) -> WalkTest | None:
    """The one that runs, or the last one."""
    query = select(walk_tests).where(walk_tests.c.device_id == device_id)
    row = conn.execute(query.order_by(walk_tests.c.started_at.desc(), walk_tests.c.id.desc()).limit(1)).first()
    return None if row is None else _test(row)


def claim_day(conn: Connection, compound_id: str, day: str, test_id: str) -> bool:
    """Take the one real text and call of a compound's day; False when it is gone."""
    try:
        with conn.begin_nested():
            conn.execute(insert(real_messages).values(compound_id=compound_id, day=day, walk_test_id=test_id))
    except IntegrityError:
        return False
    return True


def _changing(test: WalkTest) -> dict[str, Any]:
    return {
        "state": test.state.value,
        "ends_at": test.ends_at,
        "ended_at": test.ended_at,
        "alarm_at": test.alarm_at,
        "alarm_code": test.alarm_code,
        "restored_at": test.restored_at,
        "signal_dbm": test.signal_dbm,
        "signal_at": test.signal_at,
        "rehearsal": None if test.rehearsal is None else msgspec.to_builtins(test.rehearsal),
        "paged": test.paged,
        "lacks": [lack.value for lack in test.lacks],
    }


def _test(row: Row[Any]) -> WalkTest:
    return WalkTest(
        id=row.id,
        device_id=row.device_id,
        started_at=row.started_at,
        ends_at=row.ends_at,
        started_by=row.started_by,
        started_by_name=row.started_by_name,
        criteria=Criteria(row.limit_s, row.restores, row.signal_dbm_min),
        state=WalkState(row.state),
        alarm_at=row.alarm_at,
        alarm_code=row.alarm_code,
        restored_at=row.restored_at,
        signal_dbm=row.signal_dbm,
        signal_at=row.signal_at,
        rehearsal=None if row.rehearsal is None else msgspec.convert(row.rehearsal, Rehearsal),
        paged=row.paged,
        ended_at=row.ended_at,
        lacks=tuple(Lack(lack) for lack in row.lacks),
        version=row.version,
    )


def latest_end(conn: Connection, device_id: str, now: datetime) -> datetime | None:
    """When the test that runs for this device ends; None without one."""
    query = select(walk_tests.c.ends_at).where(
        walk_tests.c.device_id == device_id, walk_tests.c.state == WalkState.RUNNING.value, walk_tests.c.ends_at > now
    )
    return conn.scalar(query)
