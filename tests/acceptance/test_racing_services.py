"""Two services on one PostgreSQL, each receiving everything: still exactly one incident and one message each."""

from dataclasses import replace
from pathlib import Path

from gengfu.application import Application
from simulators.city import City
from tests.acceptance.script import PATIENT_LADDER, Story, begin

BUILDINGS = {
    "jd-hy-3-2-1201-smoke": ("worker-a", "1201"),
    "jd-hy-shed-smoke": ("worker-a", "充电车棚"),
    "jd-dg-5-1-201-smoke": ("worker-b", "201"),
    "jd-dg-6-1-402-smoke": ("worker-b", "402"),
    "jd-shop-22-smoke": ("worker-b", "金鼎路22号商铺"),
    "zjs-ch-1-1-501-smoke": ("worker-c", "501"),
    "zjs-ch-2-1-101-smoke": ("worker-c", "101"),
    "zjs-house-18-smoke": ("worker-c", "18 Zhoujiashan Rd"),
}
NEIGHBOURS = ("jd-hy-3-2-1201-smoke", "jd-hy-3-2-1202-smoke")


async def test_two_services_make_one_incident_of_each_fire(tmp_path: Path, postgres_url: str, city: City) -> None:
    async with begin(tmp_path / "stage", postgres_url, city) as story, _second_service(story):
        await _prepare(story)
        devices = [await story.device(device_id) for device_id in BUILDINGS]
        for device in devices:
            device.raise_alarm()

        for device in devices:
            for event_id in list(device.events):
                await device.settled(event_id)
        for person in ("worker-a", "worker-b", "worker-c"):
            mine = [place for who, place in BUILDINGS.values() if who == person]
            texts = [(await story.expect_sms(person)).body for _ in mine]
            assert all(any(place in text for text in texts) for place in mine)
            for _ in mine:
                await story.expect_call(person)
        assert len(await story.desk.items("/api/v1/incidents")) == len(BUILDINGS)
        await story.judge()


async def test_two_detectors_of_one_floor_race_for_one_incident(tmp_path: Path, postgres_url: str, city: City) -> None:
    async with begin(tmp_path / "stage", postgres_url, city) as story, _second_service(story):
        await _prepare(story)
        devices = [await story.device(device_id) for device_id in NEIGHBOURS]
        for device in devices:
            device.raise_alarm()

        for device in devices:
            for event_id in list(device.events):
                await device.settled(event_id)
        texts = [(await story.expect_sms("worker-a", "金鼎花园", "12层")).body for _ in NEIGHBOURS]
        assert sorted("火警扩大" in text for text in texts) == [False, True], "the second room is told, once"
        for _ in NEIGHBOURS:
            await story.expect_call("worker-a")
        incident = await story.the_incident()
        assert len(await story.timeline(incident["id"], "signal")) == 1
        await story.judge()


def _second_service(story: Story) -> Application:
    config = story.stage.config
    assert config.gateway is not None
    gateway = replace(config.gateway, client_id=f"{config.gateway.client_id}-second")
    return Application(replace(config, gateway=gateway, http_port=0, instance="second"), story.clock)


async def _prepare(story: Story) -> None:
    """No app: a live stream is held by one of the two services, and either may be the one that sends."""
    await story.policy(PATIENT_LADDER)
    await story.sign_out("worker-a", "worker-b", "worker-c")
