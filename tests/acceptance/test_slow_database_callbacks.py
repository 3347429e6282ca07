"""The database stands still while providers call back: they are answered in time, and a pressed key still counts."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from twilio.request_validator import RequestValidator

from simulators.city import City
from tests.acceptance.script import PATIENT_LADDER, Story, begin

pytestmark = pytest.mark.alone

FLAT = "jd-hy-3-2-1201-smoke"
answer_seconds_max = 0.7
"""What the most impatient provider waits; we promise 200 ms, and this machine runs a whole city beside it."""


@contextmanager
def standing_still(url: str) -> Iterator[None]:
    holder = sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None, timeout=30)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.execute("ROLLBACK")
        holder.close()


async def calls_back(story: Story, kind: str, attempt: str, form: dict[str, str]) -> tuple[int, float]:
    """As Twilio does; the status and how long the answer took."""
    path = f"/callbacks/twilio/{kind}?attempt={attempt}&lang=zh-CN"
    settings = story.stage.twilio
    signature = RequestValidator(settings.auth_token).compute_signature(settings.public_url + path, form)
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    started = asyncio.get_running_loop().time()
    async with (
        aiohttp.ClientSession() as provider,
        provider.post(story.stage.app.http_url + path, data=urlencode(form), headers=headers) as answer,
    ):
        await answer.read()
        return answer.status, asyncio.get_running_loop().time() - started


async def test_a_key_pressed_while_the_database_stands_still_counts(
    tmp_path: Path, sqlite_url: str, city: City
) -> None:
    async with begin(tmp_path / "stage", sqlite_url, city) as story:
        story.troubles_expected = True
        await story.policy(PATIENT_LADDER)
        (await story.device(FLAT)).raise_alarm()
        await story.expect_page("worker-a", "1201")
        pages = await story.desk.items("/api/v1/notifications?recipient_id=worker-a")
        attempts = {page["channel"]: page["attempts"][0] for page in pages}

        with standing_still(sqlite_url):
            text = {"MessageSid": attempts["sms"]["provider_ref"], "MessageStatus": "delivered"}
            for number in range(5):
                form = text | {"SequenceNumber": str(number)}
                status, took_s = await calls_back(story, "status", attempts["sms"]["id"], form)
                assert status == 204
                assert took_s < answer_seconds_max
            form = {"CallSid": attempts["voice"]["provider_ref"], "Digits": "1"}
            status, took_s = await calls_back(story, "voice", attempts["voice"]["id"], form)
            assert status == 200
            assert took_s < 5.0, "`please wait`, and the key is kept"

        async def taken() -> bool:
            incident = await story.the_incident()
            return bool(incident["work"] == "taken" and incident["taken_by"]["id"] == "worker-a")

        await story.until(taken)

        async def empty() -> bool:
            return not list((tmp_path / "stage").glob("*.spool"))

        await story.until(empty)
        await story.judge()
