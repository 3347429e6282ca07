"""`gengfu registry`: import and export at the command line, alone and while the service holds the database."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from alerting.ports import Priority
from devices.audit import AuditEntry
from devices.bulk.columns import Sheet
from devices.model import Device, DeviceState
from devices.store import imports
from devices.store.audit import record
from devices.store.devices import DeviceRow, insert_many
from devices.store.imports import State, Upload
from devices.store.scope import EVERYTHING
from devices.store.tables import devices
from devices.store.tables_audit import audit
from gengfu import bulk_server
from gengfu.bulk_commands import with_imports
from gengfu.bulk_server import Imports
from gengfu.clock import RandomIds, SystemClock
from gengfu.commands import handlers
from gengfu.database import hold, migrate, open_database
from gengfu.database.common import parse, sqlite_path
from gengfu.socket import serve_commands, socket_path
from tests.contract.bulk_support import NOW, WHO, Row, write_csv
from tests.contract.cli_support import Shell

pytest_plugins = ["tests.contract.cli_fixtures"]

HERE = {"city": "信阳市", "community": "周家山社区", "building": "3栋"}


def rooms(count: int, **more: str) -> list[Row]:
    return [
        {**HERE, "room": f"{n}", "grid": "g-1", "device": f"smoke-{n:04d}", "kind": "smoke_detector", **more}
        for n in range(count)
    ]


def rows(shell: Shell, column: Any) -> list[Any]:
    return migrate.run(parse(shell.database_url), lambda conn: list(conn.scalars(select(column))))


def file(shell: Shell, given: list[Row], name: str = "places.csv") -> str:
    return str(write_csv(shell.folder, Sheet.PLACES, given, name))


def test_import_says_what_it_did_and_the_second_time_nothing(upgraded: Shell) -> None:
    path = file(upgraded, rooms(3))
    dry = upgraded.ok("registry", "import", path, "--dry-run")
    assert "设备：新增 3，更改 0，不变 0" in dry
    assert dry[-1] == "试运行：未做任何更改。"
    assert rows(upgraded, devices.c.id) == []
    assert upgraded.ok("registry", "import", path)[-1] == "已导入。"
    assert len(rows(upgraded, devices.c.id)) == 3
    assert upgraded.ok("registry", "import", path)[-1] == "与系统一致，没有更改。"
    upgraded.environ["GENGFU_LANGUAGE"] = "en"
    assert upgraded.ok("registry", "import", path)[-1] == "0 changed: the registry says the same already."
    assert rows(upgraded, audit.c.act) == ["import"]
    assert [path.name for path in upgraded.folder.iterdir() if path.name.startswith(".")] == []


def test_faults_are_listed_with_cell_reason_and_suggestion(upgraded: Shell) -> None:
    path = file(upgraded, [*rooms(2), *rooms(1, device="no", state="instaled")])
    outcome = upgraded.run("registry", "import", path)
    assert outcome.code == 1
    assert outcome.lines[0].startswith("places.csv F4: ")
    assert outcome.lines[-1] == "2 处有误，未做任何更改。" or outcome.lines[-1] == "1 处有误，未做任何更改。"
    upgraded.environ["GENGFU_LANGUAGE"] = "en"
    outcome = upgraded.run("registry", "import", path, "--json")
    document = json.loads(outcome.out)
    assert outcome.code == 1
    assert document["faults"][0]["cell"] == "F4"
    assert document["faults"][0]["suggestion"]
    assert rows(upgraded, devices.c.id) == []


def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(on_sqlite: Shell) -> None:
    (on_sqlite.folder / "x.xlsx").write_bytes(b"nothing of the kind")
    assert "x.xlsx" in on_sqlite.refusal(1, "registry", "import", str(on_sqlite.folder / "x.xlsx"))
    assert "gone.csv" in on_sqlite.refusal(1, "registry", "import", "gone.csv")


def test_a_folder_and_a_workbook_go_out_and_come_in(upgraded: Shell) -> None:
    upgraded.ok("registry", "import", file(upgraded, rooms(3)))
    out = upgraded.folder / "out"
    assert upgraded.ok("registry", "export", str(out)) == ["places 3", "people 0", "grids 1", "shifts 0"]
    assert sorted(path.name for path in out.iterdir()) == ["grids.csv", "people.csv", "places.csv", "shifts.csv"]
    book = upgraded.folder / "registry.xlsx"
    upgraded.ok("registry", "export", str(book))
    for each in (out, book):
        assert upgraded.ok("registry", "import", str(each))[-1] == "与系统一致，没有更改。"
    assert rows(upgraded, audit.c.act) == ["import", "export", "export"]


@asynccontextmanager
async def serving(url: str, told: list[str]) -> AsyncIterator[Imports]:
    """The database held and written by this process, with its command socket, as `gengfu serve` has it."""
    path = sqlite_path(parse(url))
    clock, ids = SystemClock(), RandomIds()
    with hold(url, "serve"):
        holds: list[float] = []
        database = open_database(url, monotonic=time.monotonic, on_hold=lambda seconds, priority: holds.append(seconds))
        desk = Imports(
            database,
            url,
            path.parent,
            clock=clock,
            ids=ids,
            zone="Asia/Shanghai",
            registry_changed=lambda: told.append("changed"),
        )
        commands = handlers(database, clock, ids, lambda: None, lambda key: None)
        task = asyncio.create_task(serve_commands(socket_path(path), with_imports(commands, desk)))
        while not socket_path(path).exists():  # noqa: ASYNC110 - a file appears
            await asyncio.sleep(0.005)
        try:
            yield desk
        finally:
            await desk.close()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await database.close()
    assert sorted(holds)[len(holds) // 2] < 0.02


async def test_the_running_service_imports_for_the_command_line(on_sqlite: Shell) -> None:
    path = file(on_sqlite, rooms(300))
    bad = file(on_sqlite, rooms(2, state="instaled"), "bad.csv")
    told: list[str] = []
    async with serving(on_sqlite.database_url, told):
        dry = await asyncio.to_thread(on_sqlite.ok, "registry", "import", path, "--dry-run")
        assert dry[-1] == "试运行：未做任何更改。"
        lines = await asyncio.to_thread(on_sqlite.ok, "registry", "import", path)
        assert lines[-1] == "已导入。"
        assert "设备：新增 300，更改 0，不变 0" in lines
        assert told == ["changed"]
        again = await asyncio.to_thread(on_sqlite.ok, "registry", "import", path)
        assert again[-1] == "与系统一致，没有更改。"
        outcome = await asyncio.to_thread(on_sqlite.run, "registry", "import", bad)
        assert (outcome.code, len(outcome.lines)) == (1, 3)
        assert "H2" in outcome.lines[0]
        assert "gone.csv" in await asyncio.to_thread(on_sqlite.refusal, 1, "registry", "import", "gone.csv")
        await asyncio.to_thread(on_sqlite.ok, "registry", "export", str(on_sqlite.folder / "out"))
    assert len(rows(on_sqlite, devices.c.id)) == 300
    assert rows(on_sqlite, audit.c.act) == ["import", "export"]
    assert told == ["changed"]


async def until_closed(desk: Imports) -> None:
    while not desk.closed:  # noqa: ASYNC110 - the service closes the registry
        await asyncio.sleep(0.005)


async def test_other_writes_wait_for_an_import(on_sqlite: Shell, monkeypatch: Any) -> None:
    monkeypatch.setattr(bulk_server, "piece_rows_max", 20)
    path = Path(file(on_sqlite, rooms(400)))
    enrol = ("device", "enrol", "--id", "smoke-0007", "--kind", "smoke_detector")
    async with serving(on_sqlite.database_url, []) as desk:
        importing = asyncio.create_task(asyncio.to_thread(on_sqlite.run, "registry", "import", str(path)))
        await until_closed(desk)
        assert "try again" in await asyncio.to_thread(on_sqlite.refusal, 1, *enrol)
        assert (await importing).code == 0
        assert not desk.closed
    assert len(rows(on_sqlite, devices.c.id)) == 400


def register(conn: Connection) -> None:
    """Somebody else registers one of the file's devices."""
    insert_many(conn, [DeviceRow(Device("smoke-0007", "camera", None, DeviceState.INSTALLED), NOW)])
    record(conn, AuditEntry(NOW, "x", "x", "key", "create", "devices", "smoke-0007"))


async def rows_read(desk: Imports, import_id: str) -> int:
    row = await desk.database.read(lambda conn: imports.get(conn, import_id))
    return 0 if row is None else row.rows


async def test_a_change_while_the_file_is_checked_makes_the_plan_anew(on_sqlite: Shell) -> None:
    path = Path(file(on_sqlite, rooms(9_000)))
    async with serving(on_sqlite.database_url, []) as desk:
        import_id = await desk.begin(Upload(((path, path.name),), WHO, EVERYTHING, dry_run=False))
        while not await rows_read(desk, import_id):  # noqa: ASYNC110 - the child reads on
            await asyncio.sleep(0.01)
        await desk.database.write(Priority.ADMINISTRATION, register)
        await desk.finished()
        row = await desk.database.read(lambda conn: imports.get(conn, import_id))
    assert row is not None
    assert (row.state, row.counts["devices"]) == (State.DONE, {"create": 8_999, "change": 1, "same": 0})  # type: ignore[index]
    assert len(rows(on_sqlite, devices.c.id)) == 9_000
