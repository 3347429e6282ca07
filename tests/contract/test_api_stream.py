"""The live stream and the hot route by which a client confirms a page."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from sqlalchemy import update

from alerting.ports import Priority
from alerting.stream import StreamEntry
from api import rings
from api.permissions import Role
from api.routes import stream as route
from api.store.tables import api_keys
from tests.contract.access_support import TurnableClock
from tests.contract.api_support import Api, running_api


@pytest_asyncio.fixture
async def api(migrated_sqlite_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_sqlite_url) as running:
        yield running


@pytest_asyncio.fixture
async def either(migrated_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_url) as running:
        yield running


class Listener:
    """Reads events of one open stream."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.comments = 0

    async def event(self) -> tuple[str, str | None, Any]:
        """(event, id, data); raises EOFError when the stream has ended."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(5):
            while True:
                line = (await self.response.content.readline()).decode()
                if not line:
                    raise EOFError
                if line == "\n" and "event" in fields:
                    return fields["event"], fields.get("id"), json.loads(fields["data"])
                name, _, value = line.rstrip("\n").partition(":")
                fields[name] = value.strip()
                self.comments += line.startswith(":")

    async def named(self, *wanted: str) -> tuple[str, str | None, Any]:
        """The next event of one of these names."""
        while True:
            event = await self.event()
            if event[0] in wanted:
                return event


@asynccontextmanager
async def listening(api: Api, key: str, last: int | None = None) -> AsyncIterator[Listener]:
    headers = {"Authorization": f"Bearer {key}"}
    if last is not None:
        headers["Last-Event-ID"] = str(last)
    async with api.session.get(f"{api.base_url}/api/v1/stream", headers=headers) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        assert response.headers["x-accel-buffering"] == "no"
        yield Listener(response)


def live(seq: int, incident_id: str, *persons: str) -> StreamEntry:
    data = json.dumps({"seq": seq, "incident_id": incident_id}).encode()
    return StreamEntry(seq, "timeline", data, person_ids=frozenset(persons))


async def test_what_was_missed_comes_first_then_what_happens_each_once(either: Api) -> None:
    api = either
    fire = await api.incident()
    for _ in range(4):
        await api.entry(fire)
    async with listening(api, await api.token(Role.OPERATOR), last=1) as listener:
        replayed = [await listener.named("timeline") for _ in range(3)]
        assert [event[1] for event in replayed] == ["2", "3", "4"]
        assert replayed[0][2] | {"at": None} == {
            "seq": 2,
            "incident_id": fire,
            "at": None,
            "kind": "opened",
            "reason": "first_signal",
            "actor": "gengfu",
            "data": {},
        }
        await listener.named("session")
        api.deps.hub.publish([live(4, fire), live(5, fire)])
        assert (await listener.named("timeline"))[1] == "5"


async def test_long_replays_come_by_pages(api: Api) -> None:
    fire = await api.incident()
    for _ in range(7):
        await api.entry(fire)
    usual, route.replay_page = route.replay_page, 3
    try:
        async with listening(api, await api.token(Role.OPERATOR), last=0) as listener:
            assert [(await listener.named("timeline"))[1] for _ in range(7)] == [str(seq) for seq in range(1, 8)]
    finally:
        route.replay_page = usual


async def test_without_a_last_id_only_the_present_is_told(api: Api) -> None:
    fire = await api.incident()
    await api.entry(fire)
    async with listening(api, await api.token(Role.OPERATOR)) as listener:
        await listener.named("session")
        api.deps.hub.publish([live(2, fire)])
        assert (await listener.named("timeline"))[1] == "2"


async def test_a_worker_hears_of_his_own_incidents_only(either: Api) -> None:
    api = either
    mine, other = await api.person("jia"), await api.person("yi")
    fire, leak = await api.incident(), await api.incident()
    await api.page(fire, mine)
    await api.page(leak, other)
    for incident_id in (leak, fire, leak):
        await api.entry(incident_id)
    async with listening(api, await api.key(Role.GRID_WORKER, mine), last=0) as listener:
        assert (await listener.named("timeline"))[2]["incident_id"] == fire
        await listener.named("session")
        api.deps.hub.publish([live(4, leak, other), live(5, fire, mine)])
        assert (await listener.named("timeline"))[1] == "5"


async def test_unconfirmed_pages_come_again_on_connect(either: Api) -> None:
    api = either
    person, fire, taken = await api.person("jia"), await api.incident(), await api.incident(work="taken")
    rejected = await api.page(fire, person, channel="app", state="rejected", text='{"title": "火警"}')
    await api.page(fire, person, channel="app", state="provider_accepted", text="{}", step=1)
    await api.page(taken, person, channel="app", state="rejected", text="{}")
    async with listening(api, await api.key(Role.GRID_WORKER, person)) as listener:
        _, event_id, page = await listener.named("notification")
        assert event_id is None
        assert page == {"title": "火警", "notification_id": rejected, "incident_id": fire}
        assert (await listener.event())[0] == "session"
        api.deps.hub.push(person, "notification", b'{"title": "live"}')
        assert (await listener.named("notification"))[2] == {"title": "live"}


async def test_a_broken_last_id_is_refused(api: Api) -> None:
    answer = await api.call("GET", "/stream", Last_Event_ID="yesterday")
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "Last-Event-ID")


async def test_a_client_that_leaves_leaves_no_session_behind(api: Api) -> None:
    async with listening(api, await api.token(Role.OPERATOR)) as listener:
        await listener.named("session")
        assert len(api.deps.hub) == 1
    async with asyncio.timeout(5):
        while len(api.deps.hub):  # noqa: ASYNC110 - the server notices the closed connection in its own time
            await asyncio.sleep(0.005)


async def test_a_revoked_key_loses_its_stream_at_once(api: Api) -> None:
    made = (await api.call("POST", "/api-keys", {"name": "desk", "role": "operator"})).body
    async with listening(api, made["key"]) as listener:
        await listener.named("session")
        await api.call("POST", f"/api-keys/{made['id']}/revoke")
        api.deps.hub.publish([live(1, "x")])
        with pytest.raises(EOFError):
            await listener.event()
    assert len(api.deps.hub) == 0


async def test_a_key_revoked_by_another_process_loses_its_stream_though_nothing_happens(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rings, "stale_seconds_max", 0.05)
    key = await api.key(Role.OPERATOR)
    async with listening(api, key) as listener:
        await listener.named("session")
        revoked = update(api_keys).values(revoked_at=api.deps.clock.now())
        await api.database.write(Priority.ADMINISTRATION, lambda conn: conn.execute(revoked))
        with pytest.raises(EOFError):
            await listener.event()


async def test_an_expired_key_loses_its_stream(migrated_sqlite_url: str) -> None:
    clock = TurnableClock()
    async with running_api(migrated_sqlite_url, clock) as api:
        key = await api.key(Role.OPERATOR, expires_at=clock.now() + timedelta(hours=1))
        async with listening(api, key) as listener:
            await listener.named("session")
            clock.turn(timedelta(hours=2))
            api.deps.hub.publish([live(1, "x")])
            await listener.named("timeline")
            with pytest.raises(EOFError):
                await listener.event()


async def test_received_is_the_word_of_the_person_himself(api: Api) -> None:
    person, other = await api.person("jia"), await api.person("yi")
    api.service.pages["n1"] = person
    mine, his = await api.key(Role.GRID_WORKER, person), await api.key(Role.GRID_WORKER, other)
    assert (await api.call("POST", "/notifications/n1/received", key=mine)).status == 204
    assert (await api.call("POST", "/notifications/n1/received", key=his)).status == 404
    assert (await api.call("POST", "/notifications/n2/received", key=mine)).status == 404
    nobody = await api.call("POST", "/notifications/n1/received", role=Role.OPERATOR)
    assert (nobody.status, nobody.body["type"]) == (403, "urn:gengfu:problem:forbidden")
    assert (await api.call("POST", "/notifications/n1/received", role=Role.VIEWER)).status == 403
    assert (await api.call("POST", "/notifications/n1/received", role=None)).status == 401
