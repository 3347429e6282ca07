"""Contacts are verified by what reaches the person: a code by text, a key on a call, a tap in his own app."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from sqlalchemy import Connection, update

from alerting.core.model import Settings
from alerting.ports import Priority
from alerting.probes import CONTACT, send_within_s
from alerting.store import probes
from alerting.store.probes import Probe
from api.permissions import Role as KeyRole
from devices.model import Channel, Language
from devices.store.tables import contact_points
from gengfu.application import Application
from gengfu.database import open_database
from simulators.city import City
from simulators.phone import Behaviour
from tests.acceptance.both import Begin, on_both_databases
from tests.acceptance.script import PATIENT_LADDER, Story, begin


async def contact(story: Story, person: str, channel: str) -> dict[str, Any]:
    items = await story.desk.items(f"/api/v1/workers/{person}/contacts")
    return next(item for item in items if item["channel"] == channel)


async def unverified(story: Story, person: str, channel: str) -> str:
    """The address of the verification of one contact, which counts as never verified."""
    found = await contact(story, person, channel)
    await story.stage.app.database.write(Priority.ADMINISTRATION, lambda conn: _forget(conn, found["id"]))
    return f"/api/v1/workers/{person}/contacts/{found['id']}/verification"


def _forget(conn: Connection, contact_id: str) -> None:
    conn.execute(update(contact_points).where(contact_points.c.id == contact_id).values(verified_at=None))


async def is_verified(story: Story, person: str, channel: str) -> bool:
    return (await contact(story, person, channel))["verified_at"] is not None


@on_both_databases
async def test_a_code_by_text(story: Story) -> None:
    path = await unverified(story, "worker-a", "sms")
    status, asked = await story.desk.post(path)
    assert (status, asked["verified"], asked["address"]) == (201, False, "100****0001"), asked
    sms = await story.expect_sms("worker-a", "【更夫】验证码")
    found = re.search(r"\d{6}", sms.body)
    assert found is not None
    wrong = "000000" if found[0] != "000000" else "111111"

    status, answer = await story.desk.post(f"{path}/confirm", {"code": wrong})
    assert (status, answer["verified"], answer["outcome"]) == (200, False, "wrong")
    assert not await is_verified(story, "worker-a", "sms")
    status, answer = await story.desk.post(f"{path}/confirm", {"code": found[0]})
    assert (status, answer["verified"]) == (200, True)
    assert await is_verified(story, "worker-a", "sms")
    assert (await story.desk.post(f"{path}/confirm", {"code": found[0]}))[1]["outcome"] == "nothing_asked"
    _, last = await story.desk.get(path)
    assert (last["verified"], last["tries_left"]) == (True, 4)
    acts = [
        (e["act"], e["detail"].get("how")) for e in await story.desk.items("/api/v1/audit") if "contacts" in e["kind"]
    ]
    assert ("verify", "code") in acts
    assert found[0] not in str(await story.desk.items("/api/v1/audit"))


@on_both_databases
async def test_a_key_on_a_test_call(story: Story) -> None:
    path = await unverified(story, "worker-a", "voice")
    story.presses("worker-a", "1")
    assert (await story.desk.post(path))[0] == 201
    call = await story.expect_call("worker-a", "号码验证", "没有发生警情", "按一", "号码已验证，谢谢")
    assert call.pressed == "1"
    assert await is_verified(story, "worker-a", "voice")
    assert (await story.desk.get(path))[1]["verified"]
    (entry,) = [e for e in await story.desk.items("/api/v1/audit") if e["act"] == "verify"]
    assert (entry["detail"]["how"], entry["via"]) == ("key", "service")


@on_both_databases
async def test_an_english_call_and_a_wrong_number(story: Story) -> None:
    path = await unverified(story, "worker-c", "voice")
    story.presses("worker-c", "2")
    await story.desk.post(path)
    await story.expect_call("worker-c", "no alarm", "Press one", "Noted. Thank you.")
    assert not await is_verified(story, "worker-c", "voice")
    assert (await story.desk.get(path))[1]["denied"]


@pytest.mark.parametrize("behaviour", [Behaviour(keys=""), Behaviour(keys="3")])
async def test_an_answered_call_without_a_confirming_key_verifies_nothing(
    tmp_path: Any, sqlite_url: str, city: City, behaviour: Behaviour
) -> None:
    """Voicemail answers too."""
    async with begin(tmp_path, sqlite_url, city) as story:
        path = await unverified(story, "worker-a", "voice")
        story.behaves("worker-a", behaviour)
        await story.desk.post(path)
        await story.expect_call("worker-a", "未确认，本次验证结束")
        await story.expect_nothing_more(1.0)
        assert not await is_verified(story, "worker-a", "voice")
        await story.judge()


@on_both_databases
async def test_a_message_that_must_be_tapped_in_his_own_app(story: Story) -> None:
    path = await unverified(story, "worker-a", "app")
    key = await story.stage.key(KeyRole.GRID_WORKER, "worker-a")
    async with _stream(story, key) as events:
        assert (await story.desk.post(path))[0] == 201
        message = await _event(events, "verification")
        assert message["confirm"] == f"{path}/confirm"
        assert "没有发生警情" in message["body"]
        body = {"code": message["code"]}
        status, problem = await story.desk.post(message["confirm"], body)
        assert (status, problem["type"]) == (403, "urn:gengfu:problem:forbidden"), "nobody taps for him"
        async with await story.desk_of("worker-b") as other:
            assert (await other.post(message["confirm"], body))[0] == 404
        async with await story.desk_of("worker-a") as own:
            status, answer = await own.post(message["confirm"], body)
        assert (status, answer["verified"]) == (200, True)
    assert await is_verified(story, "worker-a", "app")


@on_both_databases
async def test_one_number_is_checked_three_times_an_hour_at_most(story: Story) -> None:
    path = await unverified(story, "worker-a", "sms")
    for _ in range(3):
        assert (await story.desk.post(path))[0] == 201
        await story.expect_sms("worker-a")
    status, problem = await story.desk.post(path)
    assert (status, problem["type"]) == (429, "urn:gengfu:problem:too_many")
    story.clock.pass_time(3601)
    assert (await story.desk.post(path))[0] == 201
    await story.expect_sms("worker-a")


@on_both_databases
async def test_what_a_crash_left_is_sent_once_and_never_late(begin_story: Begin) -> None:
    async with begin_story() as story:
        path = await unverified(story, "worker-a", "sms")
        await story.stage.app.__aexit__()
        planned = await _plant(story, path, age_s=5)
        late = await _plant(story, path, age_s=61)
        claimed = await _plant(story, path, age_s=20, sends=1)
        given_up = await _plant(story, path, age_s=20, sends=2)
        async with Application(story.stage.config, story.clock) as again:
            story.stage.app = again
            await story.expect_sms("worker-a")
            await story.expect_sms("worker-a")
            await story.expect_nothing_more(1.5)

            def states(conn: Connection) -> list[str]:
                found = (
                    probes.newest_of_contact(conn, each, locked=False) for each in (planned, late, claimed, given_up)
                )
                return [each.state.value for each in found if each is not None]

            found = await again.database.read(states)
            assert found[1:] == ["expired", found[2], "unknown"]
            assert {found[0], found[2]} <= {"provider_accepted", "sent", "delivered"}
            await story.sign_out(*list(story.apps))


async def _plant(story: Story, path: str, *, age_s: float, sends: int = 0) -> str:
    """A probe as a process left it that died then; returns a contact id of its own."""
    now = story.clock.now() - timedelta(seconds=age_s)
    contact_id = story.stage.ids.uuid7()
    probe = Probe(
        id=story.stage.ids.attempt(),
        kind=CONTACT,
        channel=Channel.SMS,
        address=story.number("worker-a"),
        language=Language.ZH_CN,
        text="【更夫】验证码",
        created_at=now,
        send_before=now + timedelta(seconds=send_within_s),
        expires_at=now + timedelta(minutes=10),
        contact_id=contact_id,
        sends=sends,
    )
    database = open_database(story.stage.database_url, monotonic=story.clock.monotonic)
    try:
        await database.write(Priority.ADMINISTRATION, lambda conn: probes.add(conn, probe))
    finally:
        await database.close()
    return contact_id


class _stream:
    """One live stream of a person's own; entered, it is open."""

    def __init__(self, story: Story, key: str) -> None:
        self._session = aiohttp.ClientSession(
            story.stage.app.http_url,
            headers={"authorization": f"Bearer {key}"},
            timeout=aiohttp.ClientTimeout(total=30),
        )

    async def __aenter__(self) -> aiohttp.StreamReader:
        self._answer = await self._session.get("/api/v1/stream")
        assert self._answer.status == 200
        await _event(self._answer.content, "session")
        return self._answer.content

    async def __aexit__(self, *exc: object) -> None:
        self._answer.close()
        await self._session.close()


async def _event(events: aiohttp.StreamReader, name: str) -> dict[str, Any]:
    """The next event of this name."""
    async with asyncio.timeout(5):
        while True:
            frame = await events.readuntil(b"\n\n")
            lines = dict(line.split(b": ", 1) for line in frame.splitlines() if b": " in line)
            if lines.get(b"event") == name.encode():
                found: dict[str, Any] = msgspec.json.decode(lines[b"data"])
                return found


async def test_with_split_roles_the_worker_process_sends_what_the_api_process_left(
    tmp_path: Path, postgres_url: str, city: City
) -> None:
    """One process holds the providers, the other one the live streams and the callbacks."""
    roles = frozenset({"api", "gateway"})
    async with begin(tmp_path, postgres_url, city, roles=roles, core=Settings(test_hold_s=2)) as story:
        config = replace(story.stage.config, roles=frozenset({"worker"}), instance="worker", http_port=0)
        async with Application(config, story.clock):
            text = await unverified(story, "worker-a", "sms")
            assert (await story.desk.post(text))[0] == 201
            found = re.search(r"\d{6}", (await story.expect_sms("worker-a")).body)
            assert found is not None
            assert (await story.desk.post(f"{text}/confirm", {"code": found[0]}))[1]["verified"]

            call = await unverified(story, "worker-a", "voice")
            story.presses("worker-a", "1")
            assert (await story.desk.post(call))[0] == 201
            await story.expect_call("worker-a", "号码已验证")
            assert await is_verified(story, "worker-a", "voice")

            await story.policy(PATIENT_LADDER)
            story.presses("worker-a", "")
            body = {"device_ids": ["jd-hy-3-2-1201-smoke"]}
            assert (await story.desk.post("/api/v1/test-sessions", body))[0] == 201
            device = await story.device("jd-hy-3-2-1201-smoke")
            await device.settled(device.raise_alarm())
            await story.expect_page("worker-a", "疑似测试")
            await story.judge()
