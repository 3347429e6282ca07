"""Imports and exports of somebody bound to a district: what the file of the whole city holds beyond it is refused, not
told, and not written. On both databases, through HTTP.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest_asyncio
from openpyxl import load_workbook

from api.permissions import ROUTES, Role
from devices.store import audit
from gengfu.bulk_server import Imports
from tests.contract.api_support import Answer, Api, running_api, serving
from tests.contract.scope_asking import World, leaks
from tests.contract.scope_world import Side, build, made, sides

pytest_plugins = ["tests.contract.registry_fixtures"]

HEAD = ("city", "district", "street", "community", "compound", "building", "room", "name_en")
polls_max = 400


@pytest_asyncio.fixture
async def world(migrated_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """The two districts, with imports that work in a folder of their own."""
    async with running_api(migrated_url) as plain:
        deps = plain.deps
        desk = Imports(
            plain.database,
            migrated_url,
            tmp_path,
            clock=deps.clock,
            ids=deps.ids,
            zone=deps.timezone,
            registry_changed=plain.service.registry_changed,
        )
        async with serving(replace(deps, imports=desk)) as base_url:
            api = replace(plain, base_url=base_url)
            city = made(await api.call("POST", "/places", {"kind": "city", "name": "信阳市", "code": "city"}))["id"]
            mine, other = sides()
            for side in (mine, other):
                await build(api, side, city)
            yield World(api, mine, other)
        await desk.close()


def table(*rows: tuple[str, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([HEAD, *rows])
    return text.getvalue().encode()


def rooms(side: Side, name_en: str) -> tuple[str, ...]:
    """The row of a room of this side, with another English name."""
    return ("信阳市", *(side.name(kind) for kind in HEAD[1:-1]), name_en)


async def imported(api: Api, key: str, content: bytes) -> tuple[str, Answer]:
    """(id, the end of the import) of a file."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "text/csv"}
    async with api.session.post(f"{api.base_url}/api/v1/imports", data=content, headers=headers) as response:
        assert response.status == 202, await response.text()
        import_id = (await response.json())["id"]
    for _ in range(polls_max):
        answer = await api.call("GET", f"/imports/{import_id}", key=key)
        if answer.body["state"] not in ("validating", "applying"):
            return import_id, answer
        await asyncio.sleep(0.05)
    raise AssertionError("the import did not end")


async def test_rows_of_another_district_are_refused_and_nothing_is_written(world: World) -> None:
    api, mine, other = world.api, world.mine, world.other
    key = await world.key(Role.ADMINISTRATOR)
    before, rows = await world.dump(other), await world.audited()
    sent = table(rooms(mine, "Mine"), rooms(other, "Other"))
    _, refused = await imported(api, key, sent)
    assert (refused.body["state"], refused.body["faults_total"] > 0) == ("refused", True)
    assert {fault["code"] for fault in refused.body["faults"]} == {"outside_scope"}
    assert leaks(refused, other, sent.decode()) == []
    assert await world.dump(other) == before
    assert await world.audited() == rows
    _, done = await imported(api, key, table(rooms(mine, "Mine")))
    assert (done.body["state"], done.body["counts"]["places"]["change"]) == ("done", 1), done.text
    assert (await api.call("GET", f"/places/{mine.ids['room']}", key=key)).body["name_en"] == "Mine"
    assert await world.audited() > rows
    assert (await api.database.read(audit.verify))[0] == await world.audited()


async def test_an_import_is_told_to_who_began_it(world: World) -> None:
    api = world.api
    everything = await api.token(Role.ADMINISTRATOR)
    import_id, _ = await imported(api, everything, table(rooms(world.other, "Other")))
    for role in sorted(ROUTES["GET /api/v1/imports/{id}"]):
        assert (await api.call("GET", f"/imports/{import_id}", key=await world.key(role))).status == 404, role
    assert (await api.call("GET", f"/imports/{import_id}", key=everything)).status == 200


async def test_an_export_holds_the_own_district_alone(world: World) -> None:
    for role in sorted(ROUTES["GET /api/v1/exports/registry.xlsx"]):
        told = await exported(world.api, await world.key(role))
        assert not {word for word in world.other.words() if word in told}, role
        assert world.mine.mark in told
        assert world.mine.code("worker") in told
    everything = await exported(world.api, await world.api.token(Role.ADMINISTRATOR))
    assert world.other.code("worker") in everything


async def exported(api: Api, key: str) -> str:
    """All cells of the workbook."""
    headers = {"Authorization": f"Bearer {key}"}
    timeout = aiohttp.ClientTimeout(total=60)
    address = f"{api.base_url}/api/v1/exports/registry.xlsx"
    async with api.session.get(address, headers=headers, timeout=timeout) as response:
        assert response.status == 200, await response.text()
        book = load_workbook(io.BytesIO(await response.read()), read_only=True)
    return "\n".join(str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell)
