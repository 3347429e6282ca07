"""Testing in transactions: start, abort and conclude alarm tests and test sessions, with what hangs on them.

Functions that `Database.write` runs, together with the caller's own writes. Never sends, never decides whether a test
passed: `core.walk_test` does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from alerting.core.held import building_of
from alerting.core.walk_test import Criteria, LastWord, WalkState, WalkTest, limit_s_default, real_wording, real_words
from alerting.ports import Ids
from alerting.store import probes, test_sessions, walk_tests
from alerting.store.probes import Probe
from alerting.store.test_sessions import SessionRow
from devices.audit import AuditEntry
from devices.model import Channel, Language, PlaceKind, Placement
from devices.resolve import place_device
from devices.store import audit, seen, snapshot, test_mode
from devices.store.scope import path_of_place
from devices.store.test_mode import Tested

REAL_MESSAGE = "real_message"
send_within_s = 60.0
"""What was not sent by then is not sent: the installer has gone on."""
session_minutes_default = 120
session_minutes_max = 480
session_devices_max = 2_000


class Refusal(StrEnum):
    """Why no real message is sent."""

    ON_ROSTER = "on_roster"
    USED_TODAY = "used_today"


@dataclass(frozen=True, slots=True)
class Tester:
    """Who starts it."""

    id: str
    name: str


def start(conn: Connection, device: Tested, tester: Tester, test_id: str, now: datetime) -> WalkTest:
    """A test of this device; it is in test mode for as long. IntegrityError where one runs already."""
    criteria = Criteria(
        limit_s=device.limit_s or limit_s_default,
        restores=device.restores is not False,
        signal_dbm_min=device.signal_dbm_min,
    )
    ends_at = now + timedelta(seconds=criteria.limit_s)
    test = WalkTest(test_id, device.device_id, now, ends_at, tester.id[:64], tester.name[:64], criteria)
    walk_tests.add(conn, test)
    until = test_mode.until(conn, device.device_id)
    if until is None or until < ends_at:
        test_mode.set_until(conn, [device.device_id], ends_at)
    return test


def real_messages(
    conn: Connection, test: WalkTest, number: str, language: Language, ids: Ids, timezone: str
) -> Refusal | None:
    """Plan one text and one call with the real words, marked as a test. Why not: the day's are used up, or the number
    is one that an alarm may call."""
    loaded = snapshot.load(conn, [test.device_id], test.started_at)
    placement = place_device(loaded, test.device_id)
    assert isinstance(placement, Placement), "only a device with a place is tested"
    if test_mode.on_a_roster(conn, number):
        return Refusal.ON_ROSTER
    compound = placement.at(PlaceKind.COMPOUND)
    day = test.started_at.astimezone(ZoneInfo(timezone)).date().isoformat()
    if not walk_tests.claim_day(conn, compound.id if compound else building_of(placement), day, test.id):
        return Refusal.USED_TODAY
    for channel in (Channel.SMS, Channel.VOICE):
        device, now = loaded.devices[test.device_id], test.started_at
        probe = Probe(
            id=ids.attempt(),
            kind=REAL_MESSAGE,
            channel=channel,
            address=number,
            language=language,
            text=real_words(device, placement, channel, language, now, timezone),
            wording=real_wording(device, placement, channel, language, now, timezone),
            created_at=now,
            send_before=now + timedelta(seconds=send_within_s),
            expires_at=test.ends_at,
            walk_test_id=test.id,
        )
        probes.add(conn, probe)
    return None


def abort(conn: Connection, device_id: str, now: datetime) -> WalkTest | None:
    """End the test that runs; what its device holds keeps its time. None without one."""
    test = walk_tests.running(conn, [device_id]).get(device_id)
    if test is None:
        return None
    ended = replace(test, state=WalkState.ABORTED, ended_at=now)
    walk_tests.save(conn, [ended])
    _leave_test_mode(conn, device_id, now)
    return replace(ended, version=ended.version + 1)


def conclude(conn: Connection, tests: Iterable[WalkTest], now: datetime) -> None:
    """Save what was heard. A passed test commissions its device, on the record; test mode ends with the test."""
    for test in tests:
        walk_tests.save(conn, [test])
        if test.state is WalkState.RUNNING:
            continue
        _leave_test_mode(conn, test.device_id, now, passed=test.state is WalkState.PASSED)
        if test.state is WalkState.PASSED and test_mode.commission(conn, test.device_id, now):
            _record_commissioned(conn, test, now)


def last_words(conn: Connection, device_ids: Iterable[str]) -> dict[str, LastWord]:
    """What these devices told last, by device; those that told nothing are left out."""
    rows = seen.load(conn, device_ids)
    return {id_: LastWord(row.values, row.last_seen_at) for id_, row in rows.items() if row.values}


def begin_session(conn: Connection, session: SessionRow, device_ids: Sequence[str]) -> None:
    """These devices are in test mode until the session ends, or longer where they are already."""
    test_sessions.add(conn, session, device_ids)
    for device_id in device_ids:
        until = test_mode.until(conn, device_id)
        if until is None or until < session.ends_at:
            test_mode.set_until(conn, [device_id], session.ends_at)


def end_session(conn: Connection, session_id: str, now: datetime) -> bool:
    """End it early; its devices stay in test mode only as far as another session or a running test says. False where
    it has ended already."""
    if not test_sessions.end(conn, session_id, now):
        return False
    for member in test_sessions.members(conn, [session_id])[session_id]:
        _leave_test_mode(conn, member.device_id, now)
    return True


def _leave_test_mode(conn: Connection, device_id: str, now: datetime, *, passed: bool = False) -> None:
    """Commissioned devices page: one that has just passed stays in test mode only where a session named it."""
    ends = (
        test_sessions.latest_end(conn, device_id, now, named_only=passed),
        walk_tests.latest_end(conn, device_id, now),
    )
    until = max((end for end in ends if end is not None), default=None)
    if test_mode.until(conn, device_id) != until:
        test_mode.set_until(conn, [device_id], until)


def _record_commissioned(conn: Connection, test: WalkTest, now: datetime) -> None:
    device = test_mode.get(conn, test.device_id)
    path = path_of_place(conn, device.place_id) if device else None
    detail = {"walk_test": test.id, "alarm": test.alarm_code}
    entry = AuditEntry(
        now, test.started_by, test.started_by_name, "service", "commission", "devices", test.device_id, path, detail
    )
    audit.record(conn, entry)
