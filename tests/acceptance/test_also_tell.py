"""A manager's chat is also told of a fire, through the real Apprise: after those on duty, and never in their way."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from alerting.store import timeline
from gengfu.also_tell import also_telling
from gengfu.settings_model import Settings
from tests.acceptance.both import on_both_databases
from tests.acceptance.script import PATIENT_LADDER, Story

FLAT = "jd-hy-3-2-1201-smoke"
soon_s = 8.0


class Chat:
    """Where the list ends: a plain JSON webhook."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.url = ""

    async def hear(self, request: web.BaseRequest) -> web.Response:
        self.told.append((await request.json())["message"])
        return web.Response()


@asynccontextmanager
async def chatting() -> AsyncIterator[Chat]:
    chat = Chat()
    runner = web.ServerRunner(web.Server(chat.hear, access_log=None), shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    chat.url = f"json://127.0.0.1:{runner.addresses[0][1]}/"
    yield chat
    await runner.cleanup()


def settings_with(*lists: dict[str, Any]) -> Settings:
    return Settings(also_tell=lists)


@on_both_databases
async def test_a_list_hears_of_severity_1_and_a_dead_list_of_nothing(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    story.presses("worker-a", "1")
    dead = {"name": "dead", "url": "json://127.0.0.1:9/"}
    async with chatting() as chat:
        settings = settings_with({"name": "managers", "url": chat.url}, dead)
        async with also_telling(story.stage.app.database, settings) as telling:
            assert telling is not None
            (await story.device(FLAT)).raise_alarm()
            await story.expect_sms("worker-a", "1201")
            await story.expect_app("worker-a", "1201")
            await story.expect_call("worker-a", "已记录")
            incident = await story.the_incident()
            await story.until(lambda: len(chat.told) >= 2, soon_s)
            assert chat.told == [
                f"烟雾报警，{incident['place_text']['zh']}，{chat.told[0].split('，')[2]}，编号{incident['reference']}",
                f"网格员甲已前往：烟雾报警，{incident['place_text']['zh']}，编号{incident['reference']}",
            ]
            managers, dead_list = telling._lists
            await story.until(lambda: dead_list.counters.refused == 2, soon_s)
            assert (managers.counters.handed_over, managers.counters.dropped) == (2, 0)


@on_both_databases
async def test_nothing_from_before_is_told_and_no_other_kind_of_entry(story: Story) -> None:
    await story.policy({**PATIENT_LADDER, "steps": [{**PATIENT_LADDER["steps"][0], "channels": ["app"]}]})
    (await story.device(FLAT)).raise_alarm()
    await story.expect_app("worker-a", "1201")
    database = story.stage.app.database
    async with (
        chatting() as chat,
        also_telling(database, settings_with({"name": "m", "url": chat.url})) as telling,
    ):
        assert telling is not None
        incident = await story.the_incident()
        assert (await story.desk.act(incident, "acknowledge"))[0] == 200
        assert await telling.look() is False
        assert chat.told == []
        assert telling._last == await database.read(timeline.last)


async def test_without_a_list_nothing_runs() -> None:
    async with also_telling(None, settings_with()) as telling:  # type: ignore[arg-type]
        assert telling is None
