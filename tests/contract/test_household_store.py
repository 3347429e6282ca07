"""Households on both databases: whom we may reach, the memory too; what went to them; what is forgotten with them."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Connection, event, insert, select, update

from alerting.answer_links import AnswerLinks, hashed
from alerting.core.model import Purpose
from alerting.store import households as messages
from alerting.store import retention
from alerting.store import tables as alerting_tables
from alerting.store.households import ResultRow, Satisfaction
from alerting.store.probes import Probe
from alerting.store.probes import add as add_probe
from devices.model import Channel, Language, Relation
from devices.store import households, people
from devices.store.households import HouseholdRow
from devices.store.memory import RegistryMemory
from devices.store.types import metadata
from gengfu.database import open_database
from tests.contract.api_support import incident_row
from tests.contract.registry_support import NOW, Registry, fill

pytest_plugins = ["tests.contract.registry_fixtures"]

DAY, PHONE = timedelta(days=1), "+8613956785678"


def a_household(id_: str = "h-1", **changes: Any) -> HouseholdRow:
    plain = HouseholdRow(
        id_, "room", "住户某", Relation.OWNER, PHONE, NOW - DAY, NOW + DAY, "paper", verified_at=NOW - DAY
    )
    return replace(plain, **changes)


def in_flat(conn: Connection, now: datetime = NOW) -> list[str]:
    return [contact.person_id for contact in households.reachable(conn, ["room"], now).get("room", ())]


async def test_what_is_written_comes_back(city: Registry) -> None:
    row = a_household(result_messages=True, needs_help_leaving=True, language=Language.EN)
    await city.write(lambda conn: households.insert_many(conn, [row]))
    assert await city.read(lambda conn: households.get(conn, "h-1")) == row
    (contact,) = (await city.read(lambda conn: households.reachable(conn, ["room"], NOW)))["room"]
    assert (contact.phone, contact.relation, contact.language) == (PHONE, Relation.OWNER, Language.EN)
    assert (contact.result_messages, contact.needs_help_leaving) == (True, True)
    assert not hasattr(contact, "name")


@pytest.mark.parametrize(
    "changes",
    [
        {"verified_at": None},
        {"phone": None},
        {"consent_until": NOW},
        {"consent_at": NOW + timedelta(seconds=1)},
        {"place_id": "building"},
    ],
)
async def test_nobody_is_reached_without_consent_in_force_and_a_verified_number(
    city: Registry, changes: dict[str, Any]
) -> None:
    await city.write(lambda conn: households.insert_many(conn, [a_household(**changes)]))
    assert await city.read(in_flat) == []


async def test_who_opted_out_is_not_reached(city: Registry) -> None:
    await city.write(lambda conn: households.insert_many(conn, [a_household()]))
    assert await city.read(in_flat) == ["h-1"]
    await city.write(lambda conn: people.opt_out_contact(conn, "h-1", NOW))
    assert await city.read(in_flat) == []


async def test_who_needs_help_leaving_comes_first(city: Registry) -> None:
    rows = [a_household("h-1"), a_household("h-2"), a_household("h-3", needs_help_leaving=True)]
    await city.write(lambda conn: households.insert_many(conn, rows))
    assert await city.read(in_flat) == ["h-3", "h-1", "h-2"]


async def test_the_memory_says_what_the_database_says_whoever_writes_in_between(city: Registry) -> None:
    memory = RegistryMemory()

    def asked(conn: Connection, now: datetime = NOW) -> list[str]:
        told = memory.load(conn, ["smoke-0001"], now)
        found = memory.with_households(conn, told, {"room"}, now).households
        return [contact.person_id for contact in found.get("room", ())]

    assert await city.read(asked) == []
    await city.write(lambda conn: households.insert_many(conn, [a_household()]))
    assert await city.read(asked) == ["h-1"]
    assert await city.read(lambda conn: asked(conn, NOW + DAY)) == [], "consent ends by itself"
    row = a_household(consent_until=NOW + 3 * DAY)
    assert await city.write(lambda conn: households.update_one(conn, row))
    assert await city.read(lambda conn: asked(conn, NOW + DAY)) == ["h-1"]
    assert await city.write(lambda conn: households.remove(conn, "h-1", 2))
    assert await city.read(asked) == []


@pytest_asyncio.fixture
async def sqlite_city(migrated_sqlite_url: str) -> AsyncIterator[Registry]:
    database = open_database(migrated_sqlite_url, monotonic=time.monotonic)
    registry = Registry(database)
    await registry.write(fill)
    yield registry
    await database.close()


async def test_where_no_household_is_registered_none_is_asked_for(sqlite_city: Registry) -> None:
    memory, said = RegistryMemory(), []

    def hear(*of: Any) -> None:
        said.append(of[2])

    def asked(conn: Connection) -> None:
        told = memory.load(conn, ["smoke-0001"], NOW)
        event.listen(conn, "before_cursor_execute", hear)
        assert memory.with_households(conn, told, {"room"}, NOW) is told
        event.remove(conn, "before_cursor_execute", hear)  # the next reader may get the same connection

    await sqlite_city.read(asked)
    first = len(said)
    said.clear()
    await sqlite_city.read(asked)
    assert first == 1
    assert said == []


async def fire(city: Registry, incident_id: str = "i-1", **changes: Any) -> None:
    row = incident_row(incident_id, NOW) | changes
    await city.write(lambda conn: conn.execute(insert(alerting_tables.incidents).values(**row)))


async def told(city: Registry, purpose: Purpose, *, incident_id: str = "i-1", state: str = "planned") -> str:
    """A message to the household with one attempt; the attempt's id."""
    key = f"n-{incident_id}-{purpose.value}"
    notice = {
        "id": key,
        "incident_id": incident_id,
        "round": 0,
        "step": 0,
        "recipient_id": "h-1",
        "channel": "voice",
        "purpose": purpose.value,
        "address": PHONE,
        "language": "zh-CN",
        "urgency": 1,
        "text": "{}",
        "state": state,
        "planned_at": NOW,
    }
    attempt_id = f"a-{purpose.value}"[:13]
    attempt = {
        "id": attempt_id,
        "notification_id": key,
        "incident_id": incident_id,
        "number": 1,
        "reason": "first",
        "provider": "twilio",
        "state": state,
        "planned_at": NOW,
        "due_at": NOW,
        "provider_ref": "CA1",
    }

    def work(conn: Connection) -> None:
        conn.execute(insert(alerting_tables.notifications).values(**notice))
        conn.execute(insert(alerting_tables.attempts).values(**attempt))

    await city.write(work)
    return attempt_id


async def state_of(city: Registry, attempt_id: str) -> str:
    column = alerting_tables.attempts.c
    return str(await city.read(lambda conn: conn.scalar(select(column.state).where(column.id == attempt_id))))


async def test_once_it_is_known_what_it_was_no_household_is_called(city: Registry) -> None:
    await fire(city)
    call, page = await told(city, Purpose.HOUSEHOLD), await told(city, Purpose.PAGE)
    assert await city.write(lambda conn: messages.cancel_calls(conn, "i-1")) == []
    assert (await state_of(city, call), await state_of(city, page)) == ("canceled", "planned")


async def test_a_call_that_rings_is_named_to_be_hung_up(city: Registry) -> None:
    await fire(city)
    await told(city, Purpose.HOUSEHOLD, state="sent")
    (call,) = await city.write(lambda conn: messages.cancel_calls(conn, "i-1"))
    assert (call.provider, call.provider_ref) == ("twilio", "CA1")


async def test_satisfaction_is_counted_and_the_last_word_counts(city: Registry) -> None:
    await fire(city)
    rows = [ResultRow("i-1", f"h-{n}", hashed(f"token-{n}"), NOW, NOW + 7 * DAY) for n in range(3)]
    await city.write(lambda conn: messages.add_results(conn, rows))
    for row, satisfied in ((rows[0], True), (rows[1], False), (rows[0], False), (rows[0], True)):
        await city.write(partial(messages.rate, row=row, satisfied=satisfied, via="link", now=NOW))
    assert await city.read(lambda conn: messages.satisfaction(conn, ["i-1", "i-2"])) == {"i-1": Satisfaction(3, 1, 1)}
    found = await city.read(lambda conn: messages.result_of_token(conn, hashed("token-0")))
    assert found is not None
    assert (found.recipient_id, found.satisfied) == ("h-0", True)
    assert await city.read(lambda conn: messages.result_of_token(conn, hashed("another"))) is None


async def test_a_reply_goes_to_the_newest_question_of_this_number(city: Registry) -> None:
    def newest(conn: Connection, now: datetime = NOW) -> Purpose | None:
        found = messages.latest_to(conn, PHONE, now)
        return None if found is None else found.purpose

    await fire(city)
    await told(city, Purpose.PAGE)
    assert await city.read(newest) is None, "a worker's page is none of a household's"
    await told(city, Purpose.HOUSEHOLD)
    assert await city.read(newest) is Purpose.HOUSEHOLD
    over = update(alerting_tables.incidents).values(closed_at=NOW, work="closed", holds_key=False)
    await city.write(lambda conn: conn.execute(over))
    assert await city.read(newest) is None, "after closing a key says nothing any more"
    await told(city, Purpose.RESULT)
    row = ResultRow("i-1", "h-1", None, NOW, NOW + 7 * DAY)
    await city.write(lambda conn: messages.add_results(conn, [row]))
    assert await city.read(newest) is Purpose.RESULT
    assert await city.read(lambda conn: newest(conn, NOW + 7 * DAY)) is None


async def test_withdrawn_its_number_is_in_no_table(city: Registry) -> None:
    await city.write(lambda conn: households.insert_many(conn, [a_household()]))
    await fire(city)
    attempt_id = await told(city, Purpose.HOUSEHOLD)
    probe = Probe("p-1", "household", Channel.VOICE, PHONE, Language.ZH_CN, "", NOW, NOW, NOW, "h-1", person_id="h-1")
    body = {"To": PHONE, "Digits": "2"}
    calls: list[dict[str, Any]] = [
        {"provider": "twilio", "dedupe": "1", "attempt_id": attempt_id, "body": body},
        {"provider": "twilio", "dedupe": "2", "attempt_id": "p-1", "body": body},
        {"provider": "twilio", "dedupe": "3", "attempt_id": None, "body": {"From": PHONE, "Body": "1"}},
    ]

    def work(conn: Connection) -> None:
        add_probe(conn, probe)
        for call in calls:
            conn.execute(insert(alerting_tables.callbacks).values(**call, received_at=NOW, folded_at=NOW))

    await city.write(work)
    assert len(await tables_with(city)) > 3

    def withdraw(conn: Connection) -> bool:
        messages.forget(conn, "h-1")
        return households.remove(conn, "h-1", 1)

    assert await city.write(withdraw)
    assert await tables_with(city) == set()


async def tables_with(city: Registry) -> set[str]:
    def look(conn: Connection) -> set[str]:
        return {
            table.name
            for table in metadata.sorted_tables
            for row in conn.execute(table.select())
            if PHONE in str(row) or PHONE[3:] in str(row)
        }

    return await city.read(look)


def test_a_token_is_for_one_incident_one_person_one_time_and_one_secret() -> None:
    links = AnswerLinks("a secret of the deployment", "https://gengfu.test/")
    token = links.token("i-1", "h-1", NOW)
    assert links.link(token) == f"https://gengfu.test/a/{token}"
    assert links.holds(token, "i-1", "h-1", NOW)
    for incident, person, until in (("i-2", "h-1", NOW), ("i-1", "h-2", NOW), ("i-1", "h-1", NOW + DAY)):
        assert not links.holds(token, incident, person, until)
    assert not AnswerLinks("another secret", "").holds(token, "i-1", "h-1", NOW)
    assert AnswerLinks("secret", "").link(token) == ""


async def test_an_old_incident_goes_with_what_its_household_was_told(city: Registry) -> None:
    await fire(city, work="closed", closed_at=NOW, holds_key=False)
    await told(city, Purpose.RESULT)
    row = ResultRow("i-1", "h-1", hashed("token"), NOW, NOW + 7 * DAY)
    await city.write(lambda conn: messages.add_results(conn, [row]))
    assert await city.write(lambda conn: retention.delete_incidents(conn, NOW + DAY, 10)) == 1
    assert await city.read(lambda conn: messages.result_of_token(conn, hashed("token"))) is None
