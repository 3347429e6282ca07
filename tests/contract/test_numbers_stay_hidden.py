"""A whole telephone number stands in one answer and one table, after a story over API and command line nowhere else."""

import asyncio
import logging
from typing import Any

import pytest

from api.permissions import Role
from devices.store.types import metadata
from tests.contract.api_support import Answer, Api, running_api
from tests.contract.cli_support import Shell

pytest_plugins = ["tests.contract.cli_fixtures"]

WORKER, HOUSEHOLD = "13812341234", "13956785678"
WRITTEN = {WORKER: ("138 1234 1234", "+8613812341234"), HOUSEHOLD: ("139-5678-5678", "+8613956785678")}
NUMBERS = tuple(WRITTEN) + tuple(each for ways in WRITTEN.values() for each in ways)
ALLOWED = "contact_points"


class Story:
    """Every answer that was given, by what was asked."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.answers: list[tuple[str, Answer]] = []

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        for language in ("zh-CN", "en"):
            answer = await self.api.call(method, path, body, Accept_Language=language, **options)
            self.answers.append((f"{method} {path} {answer.status}", answer))
            if method != "GET":
                break
        return answer

    def showing(self) -> set[str]:
        return {
            asked
            for asked, answer in self.answers
            if any(number in answer.text + str(answer.headers) for number in NUMBERS)
        }


async def play(story: Story) -> tuple[str, str]:
    """Enter numbers well and badly, twice and under one key, look everywhere; the paths that may show one."""
    call = story.call
    await call("POST", "/places", {"kind": "building", "code": "b1", "name": "1栋"})
    flat = (await call("POST", "/places", {"kind": "room", "code": "r1", "name": "101", "parent_id": "b1"})).body
    await call("POST", "/workers", {"code": "jia", "name": "网格员甲", "place_id": "b1"})
    contacts = "/workers/jia/contacts"
    sms = {"channel": "sms", "address": WRITTEN[WORKER][0]}
    contact = (await call("POST", contacts, sms, Idempotency_Key="c")).body
    await call("POST", contacts, sms, Idempotency_Key="c")
    await call("POST", contacts, sms)
    await call("POST", contacts, {"channel": "sms", "address": WORKER + "9"})
    await call("POST", contacts, {"channel": WORKER, "address": WORKER * 9})
    await call("POST", contacts, {"channel": "app", "address": WORKER})
    await call("POST", contacts, {"channel": "voice", "address": WORKER, WORKER[:3]: WORKER})
    one = f"{contacts}/{contact['id']}"
    for act in ("opt-out", "opt-in"):
        await call("POST", f"{one}/{act}")
    reveal = f"{one}/reveal"
    await call("POST", reveal, {"reason": f"打 {WORKER} 无人接"}, Idempotency_Key="r")
    await call("POST", reveal, {"reason": WORKER * 30})
    body = {
        "place_id": "r1",
        "name": "住户甲",
        "relation": "owner",
        "phone": WRITTEN[HOUSEHOLD][0],
        "consent_at": "2025-01-01T00:00:00Z",
        "consent_until": "2099-01-01T00:00:00Z",
        "consent_how": f"paper, {HOUSEHOLD}",
    }
    household = (await call("POST", "/households", body, Idempotency_Key="h")).body
    await call("POST", "/households", body | {"phone": HOUSEHOLD + "00"})
    await call("POST", "/households", body | {"consent_until": f"bis {HOUSEHOLD}"})
    await call("PUT", f"/households/{household['id']}", body, If_Match="*")
    fire = await story.api.incident(place_id=flat["id"])
    for purpose, text in (("household", "{}"), ("result", "误报，已解除。")):
        number = WRITTEN[HOUSEHOLD][1]
        sent = {"purpose": purpose, "channel": "voice", "address": number, "text": text}
        await story.api.page(fire, household["id"], **sent)
    await call("POST", f"/households/{household['id']}/verification")
    to_call = f"/incidents/{fire}/households"
    await call("GET", to_call, role=Role.OPERATOR)
    for path in (
        "/workers",
        contacts,
        "/places",
        "/households",
        f"/households/{household['id']}",
        f"/households/{household['id']}/verification",
        f"/notifications?recipient_id={household['id']}",
        "/notifications?purpose=household",
        f"/workers/{household['id']}",
        "/incidents",
        f"/incidents/{fire}",
        f"/incidents/{fire}/timeline",
        "/notifications",
        "/duty?place=r1",
        "/audit",
        "/api-keys",
        f"/workers/{WORKER}",
        "/openapi.json",
    ):
        await call("GET", path)
    await call("DELETE", one)
    await call("DELETE", f"/households/{household['id']}", If_Match="*")
    return f"POST {reveal} 200", f"GET {to_call} 200"


async def tables_holding_one(api: Api) -> set[str]:
    def look(conn: Any) -> set[str]:
        return {
            table.name
            for table in metadata.sorted_tables
            for row in conn.execute(table.select())
            if any(number in str(row) for number in NUMBERS)
        }

    return await api.database.read(look)


async def test_a_whole_number_is_nowhere_but_where_it_must_be(
    upgraded: Shell, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with running_api(upgraded.database_url) as api:
        story = Story(api)
        may_show = await play(story)
        assert story.showing() == set(may_show)
        assert sum(asked == may_show[0] for asked, _ in story.answers) == 1
        # The story ends with withdrawal: not even the table that may hold numbers holds one now.
        assert await tables_holding_one(api) == set()
        kept = {"channel": "sms", "address": WORKER}
        assert (await api.call("POST", "/workers/jia/contacts", kept)).status == 201
        assert await tables_holding_one(api) == {ALLOWED}
        said = ""
        for words in (("key", "list", "--json"), ("audit", "verify"), ("doctor",), ("db", "check"), ("key", "list")):
            outcome = await asyncio.to_thread(upgraded.run, *words)
            said += outcome.out + outcome.err
        assert "administrator" in said
        assert not any(number in said for number in NUMBERS)
    logging.getLogger("gengfu.api").info("the log is being read")
    assert "the log is being read" in caplog.text
    assert not any(number in caplog.text for number in NUMBERS)
