"""Households and the calls to them over HTTP, on both databases: checked numbers, opted-in results, names nowhere."""

from functools import partial
from typing import Any

import pytest

from alerting.channels.base import ChannelProvider
from alerting.core.acts import KeyOutcome
from alerting.ports import Priority
from alerting.probes import Probes
from alerting.store import households as messages
from alerting.store.households import ResultRow
from alerting.store.tables_testing import probes
from alerting.stream import Hub
from api.permissions import Role
from devices.model import Channel
from devices.store import households
from tests.contract.test_api_households import NAME, NUMBER, WHOLE, Home, at_field, home

__all__ = ["home"]


async def checks(home: Home) -> list[Any]:
    return await home.api.database.read(lambda conn: list(conn.execute(probes.select())))


def answering(home: Home) -> Probes:
    """What understands a key; it sends nothing here."""
    nobody: dict[Channel, ChannelProvider] = {}
    return Probes(database=home.api.database, providers=nobody, hub=Hub(lambda: "s"), clock=home.clock, boot=1)


async def test_a_check_call_verifies_the_number(home: Home) -> None:
    kept = await home.add()
    path = f"/households/{kept['id']}/verification"
    assert (await home.api.call("GET", path)).status == 404
    asked = await home.api.call("POST", path, role=Role.INSTALLER)
    assert (asked.status, asked.body["state"], asked.body["verified"]) == (201, "planned", False)
    assert home.api.service.wakes == 1
    (probe,) = await checks(home)
    assert (probe.address, probe.channel, probe.kind) == (WHOLE, "voice", "household")
    assert await answering(home).pressed(probe.id, "1") is KeyOutcome.TAKEN
    assert (await home.api.call("GET", path)).body["verified"] is True
    receipt = (await home.api.call("GET", f"/households/{kept['id']}")).body
    assert (kept["phone_verified"], receipt["phone_verified"]) == (False, True)
    (verified,) = [row.entry for row in await home.audited() if row.entry.act == "verify"]
    assert (verified.object_id, verified.actor) == (kept["id"], "住户")
    audited = str(await home.audited())
    assert all(hidden not in audited for hidden in (NAME, NUMBER))


async def test_another_number_must_be_verified_anew(home: Home) -> None:
    kept = await home.add()
    path = f"/households/{kept['id']}"
    await home.api.call("POST", f"{path}/verification")
    (probe,) = await checks(home)
    changed = await home.api.call("PUT", path, home.body(phone="13900139000"), If_Match="*")
    assert changed.body["phone_verified"] is False
    assert await answering(home).pressed(probe.id, "1") is KeyOutcome.UNKNOWN, "it was another number that rang"
    assert (await home.api.call("GET", path)).body["phone_verified"] is False
    await home.api.call("POST", f"{path}/verification")
    assert await answering(home).pressed((await checks(home))[-1].id, "1") is KeyOutcome.TAKEN
    again = await home.api.call("PUT", path, home.body(phone="13900139000", relation="tenant"), If_Match="*")
    assert again.body["phone_verified"] is True, "the same number stays verified"


async def test_the_wrong_person_says_so(home: Home) -> None:
    kept = await home.add()
    path = f"/households/{kept['id']}/verification"
    await home.api.call("POST", path)
    assert await answering(home).pressed((await checks(home))[0].id, "2") is KeyOutcome.DECLINED
    said = (await home.api.call("GET", path)).body
    assert (said["denied"], said["verified"]) == (True, False)


async def test_who_may_not_be_called_is_not_checked(home: Home) -> None:
    silent = await home.add(place_id="r102", phone=None, needs_help_leaving=True)
    answer = await home.api.call("POST", f"/households/{silent['id']}/verification")
    assert at_field(answer) == (409, "#", "no_phone")
    kept = await home.add()
    path = f"/households/{kept['id']}/verification"
    for _ in range(3):
        assert (await home.api.call("POST", path)).status == 201
    assert (await home.api.call("POST", path)).status == 429
    elsewhere = await home.api.key(Role.INSTALLER, place_id=home.ids["b2"])
    for method in ("GET", "POST"):
        assert (await home.api.call(method, path, key=elsewhere)).status == 404


async def test_results_by_text_are_opted_in(home: Home) -> None:
    plain, willing = await home.add(), await home.add(place_id="r102", result_messages=True)
    assert (plain["result_messages"], willing["result_messages"]) == (False, True)
    row = await home.api.database.read(partial(households.get, household_id=willing["id"]))
    assert row is not None
    assert row.result_messages


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/shifts", {"role": "household", "person_id": "jia", "place_id": "b1"}, "#/role"),
        (
            "/overrides",
            {
                "role": "household",
                "person_id": "jia",
                "starts_at": "2026-05-01T08:00:00Z",
                "ends_at": "2026-05-02T08:00:00Z",
            },
            "#/role",
        ),
        (
            "/patterns",
            {
                "name": "轮班",
                "first_day": "2026-01-05",
                "cycle_days": 7,
                "slots": [{"day": 0, "from": "08:00", "to": "20:00", "person_id": "jia", "role": "household"}],
            },
            "#/slots/0/role",
        ),
    ],
)
async def test_a_household_stands_on_no_roster(home: Home, path: str, body: dict[str, Any], pointer: str) -> None:
    await home.api.person("jia")
    answer = await home.api.call("POST", path, body, Accept_Language="en")
    assert at_field(answer) == (422, pointer, "household_role")
    assert "register its contacts under households" in answer.text


async def test_no_list_of_messages_shows_its_name_its_number_or_its_link(home: Home) -> None:
    kept = await home.add()
    fire = await home.api.incident(place_id=home.ids["r101"])
    jia = await home.api.person("jia", "网格员甲")
    token = "abcdefghij012345"
    await home.api.page(fire, jia)
    for purpose, text in (("household", "{}"), ("result", f"误报。满意吗？https://gengfu.test/a/{token}")):
        await home.api.page(fire, kept["id"], purpose=purpose, channel="voice", address=WHOLE, text=text)
    answer = await home.api.call("GET", "/notifications", role=Role.OPERATOR)
    shown = {item["purpose"]: (item["recipient_name"], item["address"]) for item in answer.body["items"]}
    assert shown == {"page": ("网格员甲", "138****8000"), "household": ("住户", ""), "result": ("住户", "")}
    for hidden in (NAME, NUMBER, f"*{NUMBER[-4:]}", token):
        assert hidden not in answer.text


async def test_an_incident_shows_how_many_were_satisfied_and_nobody_who(home: Home) -> None:
    kept = await home.add()
    fire = await home.api.incident(place_id=home.ids["r101"])
    assert (await home.api.call("GET", f"/incidents/{fire}")).body["satisfaction"] is None
    now = home.clock.now()
    rows = [ResultRow(fire, kept["id"], None, now, now), ResultRow(fire, "another", None, now, now)]
    await home.api.database.write(Priority.CALLBACK, lambda conn: messages.add_results(conn, rows))
    await home.api.database.write(Priority.CALLBACK, lambda conn: messages.rate(conn, rows[0], False, "sms", now))
    answer = await home.api.call("GET", f"/incidents/{fire}")
    assert answer.body["satisfaction"] == {"asked": 2, "satisfied": 0, "not_satisfied": 1}
    assert kept["id"] not in answer.text


async def test_withdrawn_its_number_leaves_the_messages_too(home: Home) -> None:
    kept = await home.add()
    fire = await home.api.incident(place_id=home.ids["r101"])
    await home.api.page(fire, kept["id"], purpose="household", channel="voice", address=WHOLE)
    await home.api.call("POST", f"/households/{kept['id']}/verification")
    assert (await home.api.call("DELETE", f"/households/{kept['id']}", If_Match="*")).status == 204
    assert await checks(home) == []
    (item,) = (await home.api.call("GET", "/notifications")).body["items"]
    assert (item["recipient_name"], item["address"]) == (None, "")
