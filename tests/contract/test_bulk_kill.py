"""kill -9 in the middle of an import: nothing at all is there, or after a restart everything exactly once."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from devices.bulk.columns import Sheet
from devices.store import imports
from devices.store.imports import ImportRow, State
from devices.store.tables import devices, grid_places, places
from devices.store.tables_audit import audit
from gengfu.database import open_database
from tests.architecture.sources import ROOT
from tests.contract.bulk_process import desk
from tests.contract.bulk_support import Bulk, write_csv
from tests.support.processes import dies_with_parent

pytest_plugins = ["tests.contract.bulk_fixtures"]

ROOMS = 3_000


def city(bulk: Bulk, rooms: int = ROOMS) -> Path:
    return write_csv(
        bulk.folder,
        Sheet.PLACES,
        [
            {
                "city": "信阳市",
                "community": "周家山社区",
                "building": f"{index // 30}栋",
                "room": f"{index % 30}",
                "grid": f"g-{index // 300}",
                "device": f"smoke-{index:06d}",
                "kind": "smoke_detector",
            }
            for index in range(rooms)
        ],
    )


def total(bulk: Bulk) -> tuple[int, int, int, int]:
    """Places, devices, covered places, imports in the audit."""
    tables = (places, devices, grid_places, audit)
    counts = bulk.run(lambda conn: [conn.scalar(select(func.count()).select_from(table)) or 0 for table in tables])
    return counts[0], counts[1], counts[2], counts[3]


WHOLE = (ROOMS + 100 + 2, ROOMS, 100, 1)


@contextmanager
def importing(mode: str, bulk: Bulk, file: Path) -> Iterator[subprocess.Popen[str]]:
    command = [
        *dies_with_parent("KILL"),
        sys.executable,
        "-m",
        "tests.contract.bulk_process",
        mode,
        bulk.url,
        str(file),
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def killed_at(process: subprocess.Popen[str], wanted: str, share: float) -> int:
    """Kill it once so large a share is written; how many rows it had told of."""
    assert process.stdout is not None
    for line in process.stdout:
        phase, done, size = line.split()
        if phase == wanted and int(size) and int(done) >= share * int(size):
            process.kill()
            process.wait()
            return int(done)
    raise AssertionError("it ended before it could be killed")


@pytest.mark.parametrize("share", [0.02, 0.6])
async def test_a_killed_service_writes_a_begun_import_to_its_end(bulk_sqlite: Bulk, share: float) -> None:
    bulk = bulk_sqlite
    file = city(bulk)
    with importing("served", bulk, file) as process:
        written = await asyncio.to_thread(killed_at, process, "applying", share)
    half = total(bulk)
    assert written > 0
    assert half[0] < WHOLE[0] or half[1] < WHOLE[1]
    assert half[3] == 0
    row = await _resumed(bulk)
    assert row.state is State.DONE
    assert total(bulk) == WHOLE
    assert [path.name for path in bulk.folder.iterdir()] == [file.name]
    assert bulk.load(file).plan.changes == 0
    assert bulk.run(lambda conn: conn.execute(text("PRAGMA foreign_key_check")).fetchall()) == []


async def _resumed(bulk: Bulk) -> ImportRow:
    """A service starts on what the killed one left; the import it found begun."""
    (begun,) = bulk.run(lambda conn: imports.in_state(conn, State.APPLYING))
    database = open_database(bulk.url, monotonic=time.monotonic)
    mine = desk(bulk.url, database, bulk.folder)
    await mine.resume()
    closed = [mine.closed]
    await mine.finished()
    assert [*closed, mine.closed] == [True, False]
    row = await database.read(lambda conn: imports.get(conn, begun.id))
    await database.close()
    assert row is not None
    return row


async def test_the_command_line_ends_what_a_killed_service_began(bulk_sqlite: Bulk) -> None:
    bulk = bulk_sqlite
    file = city(bulk)
    with importing("served", bulk, file) as process:
        await asyncio.to_thread(killed_at, process, "applying", 0.3)
    report = bulk.load(file)
    assert report.plan.changes == 0
    assert total(bulk) == WHOLE


async def test_an_import_killed_while_it_is_checked_is_told_as_interrupted(bulk_sqlite: Bulk) -> None:
    bulk = bulk_sqlite
    file = city(bulk)
    with importing("served", bulk, file) as process:
        assert process.stdout is not None
        assert (await asyncio.to_thread(process.stdout.readline)).startswith("validating")
    database = open_database(bulk.url, monotonic=time.monotonic)
    mine = desk(bulk.url, database, bulk.folder)
    (begun,) = await database.read(lambda conn: imports.in_state(conn, State.VALIDATING))
    await mine.resume()
    row = await database.read(lambda conn: imports.get(conn, begun.id))
    assert row is not None
    assert (row.state, row.refusal) == (State.REFUSED, {"code": "interrupted", "names": {}})
    await database.close()
    assert total(bulk) == (0, 0, 0, 0)
    assert bulk.load(file).applied


def test_a_killed_command_has_written_nothing(bulk: Bulk) -> None:
    file = city(bulk, 20_000)
    with importing("direct", bulk, file) as process:
        killed_at(process, "applying", 0.01)
    deadline = time.monotonic() + 10
    while bulk.url.startswith("postgresql") and time.monotonic() < deadline and _open_transactions(bulk):
        time.sleep(0.05)
    assert total(bulk) == (0, 0, 0, 0)
    assert bulk.load(file).applied


def _open_transactions(bulk: Bulk) -> bool:
    """Does the server still have the killed one's transaction?"""
    mine = "(SELECT oid FROM pg_database WHERE datname = current_database())"
    query = text(f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = {mine}")
    return bool(bulk.run(lambda conn: conn.scalar(query)))
