"""The live stream of somebody bound to a place: live and replayed, only what happens there. On both databases."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import update

from alerting.aftermath import stream_entry
from alerting.ports import Priority
from alerting.store import tables
from alerting.store.timeline import Entry
from alerting.stream import StreamEntry
from api.permissions import ROUTES, Role
from devices.store import tables as registry
from tests.contract.access_support import Browser, user
from tests.contract.api_support import Api, running_api
from tests.contract.test_api_stream import Listener, listening

STREAM_ROLES = sorted(ROUTES["GET /api/v1/stream"] - {Role.GRID_WORKER})


@pytest_asyncio.fixture
async def api(migrated_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_url) as running:
        yield running


class City:
    """Two districts with a room and an incident each, and an incident that has no place."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.places: dict[str, str] = {}
        self.fires: dict[str, str] = {}
        self.seq = 0

    async def build(self) -> "City":
        for side in ("a", "b"):
            above: str | None = None
            for kind in ("district", "room"):
                body = {"kind": kind, "name": f"{side}{kind}", "code": f"{side}-{kind}", "parent_id": above}
                above = (await self.api.call("POST", "/places", body)).body["id"]
                self.places[f"{side}-{kind}"] = str(above)
            self.fires[side] = await self.api.incident(place_id=self.places[f"{side}-room"], grid_id=f"{side}-grid")
        self.fires["nowhere"] = await self.api.incident()
        return self

    async def happens(self, *sides: str, **data: Any) -> list[int]:
        """A committed timeline entry for each, told to the hub as the service tells it."""
        seqs = []
        for side in sides:
            await self.api.entry(self.fires[side])
            self.seq += 1
            seqs.append(self.seq)
            now = self.api.deps.clock.now()
            entry = Entry(self.fires[side], now, "opened", "first_signal", "gengfu", {"grid": f"{side}-grid", **data})
            self.api.deps.hub.publish([stream_entry(self.seq, entry)])
        return seqs

    async def last(self) -> int:
        """An entry of side a, after which nothing else may have been told."""
        return (await self.happens("a"))[0]


@pytest_asyncio.fixture
async def city(api: Api) -> City:
    return await City(api).build()


async def told_until(listener: Listener, seq: int) -> list[str]:
    """The incidents told of, up to the entry of this number."""
    incidents = []
    while True:
        _, event_id, data = await listener.named("timeline")
        incidents.append(data["incident_id"])
        if event_id == str(seq):
            return incidents


@pytest.mark.parametrize("role", STREAM_ROLES)
async def test_live_and_replayed_only_what_happens_in_his_place(api: Api, city: City, role: Role) -> None:
    await city.happens("b", "a", "nowhere", "b", "a")
    key = await api.key(role, place_id=city.places["a-district"])
    async with listening(api, key, last=0) as listener:
        assert await told_until(listener, 5) == [city.fires["a"]] * 2
        await listener.named("session")
        await city.happens("b", "nowhere", "b", "a", "b")
        assert set(await told_until(listener, await city.last())) == {city.fires["a"]}
    async with listening(api, await api.token(role), last=0) as listener:
        everything = await told_until(listener, city.seq)
        assert set(everything) == set(city.fires.values())


async def test_what_tells_of_no_incident_is_kept_from_who_is_bound(api: Api, city: City) -> None:
    key = await api.key(Role.OPERATOR, place_id=city.places["a-district"])
    async with listening(api, key) as listener:
        await listener.named("session")
        api.deps.hub.publish([StreamEntry(None, "timeline", b'{"of": "everywhere"}')])
        seq = await city.last()
        assert await told_until(listener, seq) == [city.fires["a"]]


async def test_his_own_page_comes_but_not_the_incident_of_another_place(api: Api, city: City) -> None:
    """Somebody who sits at the desk of a and is paged for b: the page is his, b is not."""
    person = await api.person("jia")
    key = await api.key(Role.OPERATOR, person, place_id=city.places["a-district"])
    async with listening(api, key, last=0) as listener:
        await listener.named("session")
        api.deps.hub.push(person, "notification", b'{"title": "b"}')
        await city.happens("b", recipient=person)
        seq = await city.last()
        assert (await listener.named("notification", "timeline"))[2] == {"title": "b"}
        assert await told_until(listener, seq) == [city.fires["a"]]


async def test_a_worker_who_also_sits_at_a_desk_hears_of_both(api: Api, city: City) -> None:
    person = await api.person("jia")
    grants = [{"role": "operator", "place_id": "a-district"}, {"role": "grid_worker"}]
    await user(api, "mixed", *grants, person_id=person)
    await api.page(city.fires["b"], person)
    await city.happens("a", "b", "nowhere")
    browser = Browser(api)
    await browser.sign_in("mixed")
    headers = {"Cookie": f"__Host-gengfu={browser.token}", "Last-Event-ID": "0"}
    async with api.session.get(f"{api.base_url}/api/v1/stream", headers=headers) as response:
        listener = Listener(response)
        assert await told_until(listener, 2) == [city.fires["a"], city.fires["b"]]
        await listener.named("session")
        await city.happens("nowhere", "b")
        assert await told_until(listener, await city.last()) == [city.fires["b"], city.fires["a"]]
    listed = (await browser.call("GET", "/incidents")).body["items"]
    assert {item["id"] for item in listed} == {city.fires["a"], city.fires["b"]}
    assert (await browser.call("POST", f"/incidents/{city.fires['b']}/accept")).status == 200
    assert (await browser.call("POST", f"/incidents/{city.fires['b']}/close")).status == 404, "closing is the desk's"


async def test_a_place_that_moves_takes_its_incidents_along(api: Api, city: City) -> None:
    key = await api.key(Role.OPERATOR, place_id=city.places["a-district"])
    async with listening(api, key) as listener:
        await listener.named("session")
        path = f"{city.places['a-district']}/{city.places['b-room']}"
        moved = update(registry.places).where(registry.places.c.id == city.places["b-room"]).values(path=path)
        await api.database.write(Priority.ADMINISTRATION, lambda conn: conn.execute(moved))
        (seq,) = await city.happens("b")
        assert await told_until(listener, seq) == [city.fires["b"]]


async def test_other_rights_end_the_stream_so_that_it_is_opened_anew(api: Api, city: City) -> None:
    made = await user(api, "zhiban-1", {"role": "operator", "place_id": "a-district"})
    browser = Browser(api)
    await browser.sign_in("zhiban-1")
    headers = {"Cookie": f"__Host-gengfu={browser.token}"}
    async with api.session.get(f"{api.base_url}/api/v1/stream", headers=headers) as response:
        listener = Listener(response)
        await listener.named("session")
        change = {"grants": [{"role": "operator", "place_id": "b-district"}]}
        assert (await api.call("PATCH", f"/users/{made['id']}", change, If_Match="*")).status == 200
        with pytest.raises(EOFError):
            await listener.event()
    async with api.session.get(f"{api.base_url}/api/v1/stream", headers=headers | {"Last-Event-ID": "0"}) as response:
        listener = Listener(response)
        seqs = await city.happens("a", "b")
        assert await told_until(listener, seqs[-1]) == [city.fires["b"]]


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER, Role.AUDITOR, Role.ADMINISTRATOR])
async def test_an_incident_without_a_place_is_for_those_who_see_everything(api: Api, city: City, role: Role) -> None:
    bound, free = await api.key(role, place_id=city.places["a-district"]), await api.key(role)
    for key, status in ((bound, 404), (free, 200)):
        for path in ("", "/timeline"):
            assert (await api.call("GET", f"/incidents/{city.fires['nowhere']}{path}", key=key)).status == status
    assert [item["id"] for item in (await api.call("GET", "/incidents", key=bound)).body["items"]] == [city.fires["a"]]
    await api.insert(tables.incident_overlays, incident_id=city.fires["a"], kind="unplaced", at=api.deps.clock.now())
    assert (await api.call("GET", f"/incidents/{city.fires['a']}", key=bound)).body["overlays"][0]["kind"] == "unplaced"


def test_an_entry_says_which_incident_it_tells_of() -> None:
    from datetime import UTC, datetime

    entry = Entry("i1", datetime(2026, 1, 1, tzinfo=UTC), "opened", "first_signal", "gengfu", {})
    made = stream_entry(7, entry)
    assert made.incident_id == json.loads(made.data)["incident_id"] == "i1"
    assert replace(made, seq=None).incident_id == "i1", "also when it goes out without its number"
