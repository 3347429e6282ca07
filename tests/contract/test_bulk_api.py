"""Imports over HTTP: a file in, its state and faults out, in the caller's language and within his scope; exports."""

import asyncio
import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from openpyxl import load_workbook
from sqlalchemy import select

from api.permissions import Role
from devices.bulk import files
from devices.store.tables import devices, places
from devices.store.tables_audit import audit
from gengfu.bulk_server import Imports
from gengfu.clock import SystemClock
from gengfu.database import migrate, open_database
from tests.contract import api_support
from tests.contract.api_support import Answer, Api, RecordingService, make_deps, serving

pytest_plugins = ["tests.contract.registry_fixtures"]

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEAD = "城市,社区,楼栋,房间,网格,设备,设备类型\n"
ROW = "信阳市,周家山社区,3栋,{0},g-1,smoke-{0:04d},smoke_detector\n"
GOOD = HEAD + "".join(ROW.format(number) for number in range(40))
BAD = HEAD + "信阳市,周家山社区,3栋,1,g-1,smoke 1,smoke_detector\n" * 5


@asynccontextmanager
async def importing_api(url: str, folder: Path) -> AsyncIterator[Api]:
    """The API with imports, over a migrated database."""
    database = open_database(url, monotonic=SystemClock().monotonic)
    service = RecordingService(database=database)
    deps = make_deps(database, service, SystemClock())
    desk = Imports(
        database,
        url,
        folder,
        clock=SystemClock(),
        ids=deps.ids,
        zone="Asia/Shanghai",
        registry_changed=service.registry_changed,
        reserved=frozenset({"gengfu-service"}),
    )
    deps = replace(deps, imports=desk)
    async with serving(deps) as base_url, aiohttp.ClientSession(timeout=api_support.NO_RETRY) as session:
        yield Api(base_url, session, deps, service, database)
    await desk.close()
    await database.close()


@pytest_asyncio.fixture
async def api(migrated_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with importing_api(migrated_url, tmp_path) as running:
        yield running


@pytest_asyncio.fixture
async def api_sqlite(migrated_sqlite_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with importing_api(migrated_sqlite_url, tmp_path) as running:
        yield running


async def send(api: Api, content: bytes, media: str = CSV, query: str = "", key: str | None = None) -> Answer:
    headers = {"Authorization": f"Bearer {key or await api.token(Role.ADMINISTRATOR)}", "Content-Type": media}
    async with api.session.post(f"{api.base_url}/api/v1/imports{query}", data=content, headers=headers) as response:
        body = await response.json(content_type=None)
        return Answer(response.status, response.headers, body, str(body))


async def ended(api: Api, answer: Answer, **options: Any) -> Any:
    """The import's own document, once it has ended."""
    assert answer.status == 202, answer.text
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        document = (await api.call("GET", answer.headers["location"], **options)).body
        if document["state"] in ("done", "refused"):
            assert isinstance(api.deps.imports, Imports)
            await api.deps.imports.finished()
            return document
        await asyncio.sleep(0.05)
    raise AssertionError("the import does not end")


async def test_a_file_is_imported_and_the_same_again_changes_nothing(api: Api) -> None:
    dry = await ended(api, await send(api, GOOD.encode(), query="?dry_run=true&name=楼.csv"))
    assert (dry["state"], dry["dry_run"], dry["name"], dry["rows"]) == ("done", True, "楼.csv", 40)
    assert dry["counts"]["devices"] == {"create": 40, "change": 0, "same": 0}
    assert (await api.call("GET", "/devices")).body["items"] == []
    first = await ended(api, await send(api, GOOD.encode("gb18030")))
    assert (first["state"], first["counts"]) == ("done", dry["counts"])
    assert len((await api.call("GET", "/devices")).body["items"]) == 40
    assert api.service.changes == 1
    again = await ended(api, await send(api, GOOD.encode()))
    assert again["counts"]["devices"] == {"create": 0, "change": 0, "same": 40}
    assert api.service.changes == 1
    acts = await api.database.read(lambda conn: list(conn.scalars(select(audit.c.kind).where(audit.c.act == "import"))))
    assert acts == ["imports"]


async def test_faults_come_in_pages_and_in_both_languages(api: Api) -> None:
    answer = await send(api, BAD.encode())
    document = await ended(api, answer)
    assert (document["state"], document["faults_total"], len(document["faults"])) == ("refused", 5, 5)
    assert document["faults"][0]["cell"] == "F2"
    english = await ended(api, answer, Accept_Language="en")
    assert english["faults"][0]["reason"] == "smoke 1 is no device id."
    page = (await api.call("GET", answer.headers["location"] + "?limit=2")).body
    assert [fault["cell"] for fault in page["faults"]] == ["F2", "F3"]
    rest = (await api.call("GET", f"{answer.headers['location']}?limit=4&cursor={page['next']}")).body
    assert ([fault["cell"] for fault in rest["faults"]], rest["next"]) == (["F4", "F5", "F6"], None)
    assert (await api.call("GET", "/places")).body["items"] == []


async def test_what_is_no_bulk_file_is_refused_in_a_sentence(api_sqlite: Api) -> None:
    api = api_sqlite
    document = await ended(api, await send(api, b"PK\x03\x04 no workbook", XLSX), Accept_Language="en")
    assert (document["state"], document["refusal"]) == (
        "refused",
        "import.xlsx is not the XLSX workbook its name says.",
    )
    assert (await send(api, b"{}", "application/json")).status == 422
    empty = await send(api, b"")
    assert (await ended(api, empty))["refusal"] == "文件 import.csv 是空的。"
    assert list(api.deps.imports.folder.glob(".gengfu-*")) == []  # type: ignore[union-attr]
    account = GOOD.replace("smoke-0001", "gengfu-service")
    assert (await ended(api, await send(api, account.encode())))["faults"][0]["code"] == "device_taken"


async def test_a_body_that_is_too_large_is_refused_while_it_comes(
    api_sqlite: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = api_sqlite
    key = await api.token(Role.ADMINISTRATOR)
    declared = {
        "Authorization": f"Bearer {key}",
        "Content-Type": CSV,
        "Content-Length": str(files.import_bytes_max + 1),
    }
    reader, writer = await asyncio.open_connection(*api.base_url.removeprefix("http://").split(":"))
    head = "".join(f"{name}: {value}\r\n" for name, value in declared.items())
    writer.write(f"POST /api/v1/imports HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
    assert b" 413 " in await reader.readline()
    writer.close()
    monkeypatch.setitem(__import__("api.middleware").middleware.body_bytes_max_at, "/api/v1/imports", 100_000)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 10_000

    async with api.session.post(
        f"{api.base_url}/api/v1/imports",
        data=pieces(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": CSV},
    ) as response:
        assert response.status == 413
    assert list(api.deps.imports.folder.glob(".gengfu-*")) == []  # type: ignore[union-attr]


async def test_only_planners_import_and_others_do_not_see_it(api_sqlite: Api) -> None:
    api = api_sqlite
    answer = await send(api, GOOD.encode())
    await ended(api, answer)
    for role in set(Role) - {Role.ADMINISTRATOR, Role.ROSTER_PLANNER}:
        key = await api.token(role)
        assert (await send(api, GOOD.encode(), key=key)).status == 403
        assert (await api.call("GET", answer.headers["location"], key=key)).status == 403
        assert (await api.call("GET", "/exports/registry.xlsx", key=key)).status == 403
    place_ids = dict(await api.database.read(lambda conn: conn.execute(select(places.c.name, places.c.id)).fetchall()))
    scoped = await api.key(Role.ROSTER_PLANNER, place_id=place_ids["周家山社区"])
    assert (await api.call("GET", answer.headers["location"], key=scoped)).status == 404


async def test_an_export_over_http_hides_numbers_and_comes_back_unchanged(api: Api) -> None:
    person = "人员编码,姓名,手机\nw-1,网格员甲,13800138000\n"
    await ended(api, await send(api, person.encode()))
    url = f"{api.base_url}/api/v1/exports/registry.xlsx"
    headers = {"Authorization": f"Bearer {await api.token(Role.ADMINISTRATOR)}"}
    async with api.session.get(url, headers=headers) as response:
        content = await response.read()
    shown = [[cell for cell in row if cell] for row in load_workbook(io.BytesIO(content))["人员"].values]
    assert shown[1][:2] == ["w-1", "网格员甲"]
    assert "138****8000" in shown[1]
    again = await ended(api, await send(api, content, XLSX))
    assert (again["state"], again["counts"]["people"]) == ("done", {"create": 0, "change": 0, "same": 1})


async def exported(api: Api, key: str) -> list[list[Any]]:
    async with api.session.get(
        f"{api.base_url}/api/v1/exports/registry.xlsx", headers={"Authorization": f"Bearer {key}"}
    ) as response:
        assert (response.status, response.content_type) == (200, XLSX)
        book = load_workbook(io.BytesIO(await response.read()))
    assert book.sheetnames == ["地点", "人员", "网格", "值班"]
    return [list(row) for row in book["地点"].iter_rows(min_row=2, values_only=True)]


async def test_a_scoped_planner_writes_and_exports_only_what_is_his(api: Api) -> None:
    elsewhere = "信阳市,别处社区,1栋,{0},g-2,smoke-9{0:03d},smoke_detector\n"
    await ended(api, await send(api, (GOOD + elsewhere.format(1)).encode()))
    place_ids = dict(await api.database.read(lambda conn: conn.execute(select(places.c.name, places.c.id)).fetchall()))
    key = await api.key(Role.ROSTER_PLANNER, place_id=place_ids["周家山社区"])
    outside = await ended(api, await send(api, (HEAD + elsewhere.format(2)).encode(), key=key), key=key)
    assert [(fault["cell"], fault["code"]) for fault in outside["faults"]] == [("B2", "outside_scope")]
    mine = HEAD + ROW.format(77)
    inside = await ended(api, await send(api, mine.encode(), key=key), key=key)
    assert (inside["state"], inside["counts"]["devices"]["create"]) == ("done", 1)
    seen = await exported(api, key)
    assert {row[3] for row in seen} == {"周家山社区"}
    assert {row[0] for row in seen} == {"信阳市"}
    assert len(seen) == 41
    assert len(await exported(api, await api.token(Role.ADMINISTRATOR))) == 42
    acts = await api.database.read(lambda conn: list(conn.scalars(select(audit.c.act).order_by(audit.c.id))))
    assert acts.count("export") == 2


async def test_the_registry_waits_while_an_import_is_written(api_sqlite: Api) -> None:
    api = api_sqlite
    desk = api.deps.imports
    assert isinstance(desk, Imports)
    await desk.gate.close()
    refused = await api.call("POST", "/places", {"kind": "city", "name": "信阳市"})
    assert (refused.status, refused.headers["retry-after"]) == (503, "10")
    assert (await api.call("POST", "/workers/w-1/contacts", {"channel": "app"})).status == 503
    assert (await api.call("GET", "/places")).status == 200
    assert (await api.call("POST", "/devices/smoke-0001/walk-test")).status != 503
    assert (await api.call("POST", "/overrides", {})).status == 422
    desk.gate.open()
    assert (await api.call("POST", "/places", {"kind": "city", "name": "信阳市"})).status == 201


async def test_one_import_at_a_time(api_sqlite: Api) -> None:
    api = api_sqlite
    first = await send(api, GOOD.encode())
    second = await send(api, GOOD.encode())
    assert second.status == 503
    await ended(api, first)
    count = await api.database.read(lambda conn: len(conn.execute(select(devices.c.id)).fetchall()))
    assert count == 40
    assert migrate.head_revision()
