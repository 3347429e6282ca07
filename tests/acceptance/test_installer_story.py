"""The installer's day: a scan, a secret, a connection over TLS, the alarm test, 已验收; then revoked and cut off.

Everybody else's phone stays silent throughout.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from simulators.device import VirtualDevice
from simulators.line import Broker
from tests.acceptance.both import Begin, on_both_databases
from tests.acceptance.script import EAGER, Story
from tests.support.mosquitto import Login
from tests.support.mqtt import Probe, Refused
from tests.support.tls import TlsListener

ROOM, WORDS = "jd-hy-3-1-301-l", ("金鼎花园", "3栋", "1单元", "3层", "301")
LABEL = "IMEI:861234567890127"
MODEL: dict[str, Any] = {
    "code": "test-nb-smoke",
    "maker": "烟感厂",
    "model": "NB-1",
    "kind": "smoke_detector",
    "walk_test_s": 60,
    "signal_dbm_min": -110,
}
cut_seconds_max = 5.0
secret_hex_digits = 32


@dataclass(slots=True)
class Screen:
    """The installer's telephone: his key, and the live page of the test that runs."""

    base_url: str
    key: str
    session: aiohttp.ClientSession

    async def post(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        async with self.session.post(f"/api/v1/{path}", json=body or {}) as answer:
            return answer.status, await answer.json(content_type=None)

    async def get(self, path: str) -> tuple[int, dict[str, Any]]:
        async with self.session.get(f"/api/v1/{path}") as answer:
            return answer.status, await answer.json(content_type=None)

    async def live(self, device_id: str) -> AsyncIterator[dict[str, Any]]:
        """Each state of the alarm test as it is shown, until it has ended."""
        async with self.session.get(f"/api/v1/devices/{device_id}/walk-test/events") as answer:
            assert answer.status == 200, await answer.text()
            async for line in answer.content:
                if line.startswith(b"data:"):
                    yield json.loads(line.removeprefix(b"data:"))


@asynccontextmanager
async def installer_of(story: Story, place: str) -> AsyncIterator[Screen]:
    """Somebody with an installer's key for one part of the city."""
    status, made = await story.desk.post(
        "/api/v1/api-keys", {"name": "installer of the day", "role": "installer", "place_id": place}
    )
    assert status == 201, made
    base_url = story.stage.app.http_url
    headers = {"authorization": f"Bearer {made['key']}"}
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(base_url, headers=headers, timeout=timeout) as session:
        yield Screen(base_url, made["key"], session)


def over_tls(story: Story, listener: TlsListener, login: Login) -> VirtualDevice:
    broker = Broker("localhost", listener.port, tls=listener.trust())
    return VirtualDevice(login.username, "smoke_detector", broker, login.secret, story.clock.now, habits=EAGER)


async def lets_in(listener: TlsListener, login: Login, within_s: float = cut_seconds_max) -> None:
    """The broker learns of a new device by itself."""
    async with asyncio.timeout(within_s):
        while True:
            try:
                line = await Probe.connect(listener.port, login, version=5, tls=listener.trust())
            except Refused:
                await asyncio.sleep(0.1)
                continue
            return await line.close()


@on_both_databases
async def test_from_the_box_to_commissioned_and_cut_off_again(begin_story: Begin, folder: Any) -> None:
    listener = TlsListener.prepare(folder / "broker")
    async with begin_story(broker_template=listener.template) as story:
        status, body = await story.desk.post("/api/v1/models", MODEL)
        assert status == 201, body
        async with installer_of(story, "jd") as screen:
            login = await _enrolled(story, screen, listener)
            device = over_tls(story, listener, login)
            await device.start()
            await _alarm_test(story, screen, device)
            await _revoked(story, screen, device)
            with pytest.raises(Refused, match="authori"):
                await Probe.connect(listener.port, login, version=5, tls=listener.trust())
            await device.stop()


async def _enrolled(story: Story, screen: Screen, listener: TlsListener) -> Login:
    """A scan; the name and the secret come once, and the broker takes them."""
    wish = {"label": LABEL, "model": MODEL["code"], "place_id": ROOM}
    status, body = await screen.post("enrolments", {**wish, "place_id": "zjs-ch-1-1-501-l"})
    assert (status, body["errors"][0]["pointer"]) == (422, "#/place_id"), "not his part of the city"
    status, enrolled = await screen.post("enrolments", wish)
    assert status == 201, enrolled
    assert len(enrolled["secret"]) == secret_hex_digits, "128 bits"
    assert all(word in enrolled["place"] for word in WORDS[:1])
    status, shown = await screen.get(f"devices/{enrolled['id']}")
    assert (status, shown["state"], shown["has_credential"]) == (200, "installed", True)
    assert "secret" not in json.dumps(shown)

    login = Login(enrolled["username"], enrolled["secret"])
    await lets_in(listener, login)
    return login


async def _alarm_test(story: Story, screen: Screen, device: VirtualDevice) -> None:
    """He starts it, presses the button, and sees everything that a real alarm would do, and that it was enough."""
    status, body = await screen.post(f"devices/{device.id}/walk-test")
    assert (status, body["state"]) == (201, "running"), body
    states: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        async for state in screen.live(device.id):
            states.append(state)
            if len(states) == 1:
                assert {lack["code"] for lack in state["missing"]} == {"no_alarm", "not_restored", "no_signal"}
                device.tell(rssi=-87)
                await device.settled(device.raise_alarm())
            elif state["alarm"] and not state["restored"] and len(device.events) == 1:
                await device.settled(device.restore())
    last = states[-1]
    assert (last["state"], last["missing"]) == ("passed", []), last
    assert last["alarm"]["code"] == "fire.smoke"
    assert 0 <= last["alarm"]["seconds"] <= last["restored"]["seconds"] < 20
    assert (last["signal"]["dbm"], last["signal"]["enough"]) == (-87, True)
    assert len(states) >= 3, "it was not live"

    calls = last["would_call"]["calls"]
    assert {call["channel"] for call in calls} == {"sms", "voice", "app"}
    assert {call["name"] for call in calls} == {"网格员甲"}
    (text,) = [call["text"] for call in calls if call["channel"] == "sms"]
    assert all(word in text for word in (*WORDS, "火警", "烟雾")), text
    assert not any("+86" in call["address"] for call in calls), "numbers are masked"

    status, shown = await screen.get(f"devices/{device.id}")
    assert (status, shown["state"]) == (200, "commissioned")
    assert await story.desk.items("/api/v1/incidents") == []
    await story.expect_nothing_more(1.0)


async def _revoked(story: Story, screen: Screen, device: VirtualDevice) -> None:
    """The detector was stolen: its line is cut within five seconds and stays cut. Others do not notice."""
    other = await story.device("jd-hy-3-2-1201-smoke")
    status, body = await screen.post(f"devices/{device.id}/credential/revoke")
    began = time.monotonic()
    assert status == 200, body
    await story.until(lambda: not device.connected, cut_seconds_max)
    assert time.monotonic() - began < cut_seconds_max
    await story.until(lambda: device.refused is not None)  # it tried again
    assert not device.connected
    assert other.connected
