"""37 detectors of one building within seconds: told at once, then counted; what is new is never lost in the count."""

import asyncio
from dataclasses import replace

import pytest

from devices.model import Device, DeviceState, Place, PlaceKind
from simulators.city import City, load_city
from tests.acceptance.both import Begin, on_both_databases
from tests.acceptance.script import PATIENT_LADDER

FLOOR = "jd-hy-3-2-f12"
ELSEWHERE = "jd-hy-3-2-1101-smoke"
FIRST = "jd-hy-3-2-1201-smoke"
STORM = [FIRST, *(f"jd-hy-3-2-12{n:02d}-storm" for n in range(11, 47))]
pages = 3
summary_within_s = 15.0
"""Ten seconds after the first page that was folded, and what a slow machine takes."""


@pytest.fixture(scope="module")
def city() -> City:
    """The demonstration city with 36 further flats on the twelfth floor."""
    plain = load_city("xinyang")
    floor = next(place for place in plain.places if place.id == FLOOR)
    rooms = [
        Place(f"{FLOOR}-{n}", PlaceKind.ROOM, f"12{n:02d}", f"12{n:02d}", (*floor.path, f"{FLOOR}-{n}"))
        for n in range(11, 47)
    ]
    detectors = [
        Device(device_id, "smoke_detector", room.id, DeviceState.COMMISSIONED)
        for device_id, room in zip(STORM[1:], rooms, strict=True)
    ]
    return replace(plain, places=(*plain.places, *rooms), devices=(*plain.devices, *detectors))


@on_both_databases
async def test_a_storm_is_three_pages_a_count_and_whatever_is_new(begin_story: Begin) -> None:
    async with begin_story() as story:
        await story.policy(PATIENT_LADDER)
        first, *others = [await story.device(device_id) for device_id in STORM]
        first.raise_alarm()
        await story.expect_page("worker-a", "金鼎花园", "3栋", "1201", "火警")

        events = [(device, device.raise_alarm()) for device in others]
        await asyncio.gather(*(device.settled(event) for device, event in events))
        for _ in range(pages - 1):
            await story.expect_page("worker-a", "金鼎花园", "3栋", "12层", "火警扩大")
        await story.expect_nothing_more(2.0)

        text = await story.expect_sms(
            "worker-a", "火警汇总", "3栋现有37个探测器报警，新增34处", within_s=summary_within_s
        )
        assert len(text.body) <= 70
        await story.expect_app("worker-a", "现有37个探测器报警", "烟雾报警34")

        (await story.device(ELSEWHERE)).raise_alarm()
        await story.expect_page("worker-a", "11层", "火警扩大")

        incident = await story.the_incident()
        folded = await story.timeline(incident["id"], "folded")
        assert {entry["reason"] for entry in folded} == {"folded"}
        assert len(folded) == 34 * 3
