"""What acts of people rest on in the database: limits that come due, pages of one room, pages asked after `taken`."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest_asyncio
from sqlalchemy import select

from alerting.ports import Priority
from alerting.store import attempts, cancels, incidents, recovering, tables
from devices.model import Channel
from tests.contract.api_support import Api, running_api

SOON = timedelta(seconds=1)


@pytest_asyncio.fixture
async def api(migrated_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_url) as running:
        yield running


async def attempt(api: Api, notification: str, incident: str, state: str, **values: Any) -> str:
    attempt_id = api.deps.ids.attempt()
    now = api.deps.clock.now()
    row = {"id": attempt_id, "notification_id": notification, "incident_id": incident, "number": 1, "state": state}
    row |= {"reason": "first", "provider": "twilio", "planned_at": now, "due_at": now}
    await api.insert(tables.attempts, **(row | values))
    return attempt_id


async def test_a_due_time_a_shelf_and_an_acknowledgement_are_found_when_they_end_worst_first(api: Api) -> None:
    now = api.deps.clock.now()
    before, later = now - SOON, now + SOON
    closed = {"work": "closed", "closed_at": before, "holds_key": False}
    ladder = await api.incident(severity=1, due_at=before)
    seen = await api.incident(severity=2, due_at=later, acknowledged_until=before)
    rested = await api.incident(severity=3, due_at=later, shelved_until=before)
    worse = await api.incident(severity=1, due_at=later, shelved_until=later)
    await api.incident(severity=2, due_at=later, shelved_until=later, acknowledged_until=later)
    await api.incident(severity=2, due_at=before, shelved_until=before, acknowledged_until=before, **closed)
    both = await api.incident(severity=4, due_at=before, acknowledged_until=before)
    found = await api.database.read(lambda conn: incidents.due_ids(conn, now, 50))
    assert found == [ladder, worse, seen, rested, both], "each once"
    assert await api.database.read(lambda conn: incidents.due_ids(conn, now, 2)) == [ladder, worse]


async def test_one_rooms_pages_are_taken_back_and_nobody_elses(api: Api) -> None:
    fire, other = await api.incident(), await api.incident()
    waiting = await api.page(fire, "desk", redial_max=3)
    ringing = await api.page(fire, "desk", channel="voice", redial_max=3)
    told = await api.page(fire, "desk", purpose="update")
    workers = await api.page(fire, "worker", redial_max=3)
    elsewhere = await api.page(other, "desk", redial_max=3)
    ids = {
        name: await attempt(api, name, other if name == elsewhere else fire, "planned")
        for name in (waiting, told, workers, elsewhere)
    }
    call = await attempt(api, ringing, fire, "sent", provider_ref="CA1")

    def work(conn: Any) -> tuple[list[str], list[tuple[str, str]]]:
        canceled = cancels.cancel_for(conn, fire, ["desk"])
        return canceled, [(each.attempt_id, each.provider_ref) for each in cancels.ringing_of(conn, fire, ["desk"])]

    assert await api.database.write(Priority.ACCEPTANCE, work) == ([waiting], [(call, "CA1")])

    def look(conn: Any) -> tuple[dict[str, str], dict[str, int]]:
        states = dict(conn.execute(select(tables.attempts.c.id, tables.attempts.c.state)).all())
        redials = dict(conn.execute(select(tables.notifications.c.id, tables.notifications.c.redial_max)).all())
        return states, redials

    states, redials = await api.database.read(look)
    assert states[ids[waiting]] == "canceled"
    assert {states[ids[name]] for name in (told, workers, elsewhere)} == {"planned"}
    assert states[call] == "sent"
    assert [redials[name] for name in (waiting, ringing, workers, elsewhere)] == [0, 0, 3, 3]


async def test_who_was_asked_after_somebody_had_taken_it_is_still_asked(api: Api) -> None:
    """Help, and a new floor: another process of the deployment sends these pages."""
    now = api.deps.clock.now()
    fire = await api.incident(work="taken", taken_by="jia", taken_at=now)
    verified = await api.incident(work="verified", taken_by="jia", taken_at=now)
    earlier = await api.page(fire, "yi", planned_at=now - SOON)
    help_ = await api.page(fire, "bing", planned_at=now + SOON)
    over = await api.page(verified, "bing", planned_at=now + SOON)
    for name, incident in ((earlier, fire), (help_, fire), (over, verified)):
        await attempt(api, name, incident, "planned")

    def claim(conn: Any) -> dict[str, bool]:
        found = attempts.claim_due(conn, now + 2 * SOON, 1, list(Channel), 10)
        return {each.submission.notification_id: each.answered for each in found}

    claimed = await api.database.write(Priority.ATTEMPT, claim)
    assert claimed == {earlier: True, help_: False, over: True}


async def test_carriers_that_are_back_make_due_what_life_safety_has_waiting_for_them_and_nothing_else(api: Api) -> None:
    now = api.deps.clock.now()
    fire, later = await api.incident(), now + 10 * SOON
    names = ["unsettled", "busy", "redial", "less", "call", "leased"]
    other: dict[str, dict[str, Any]] = {"less": {"urgency": 2}, "call": {"channel": "voice"}}
    pages = {name: await api.page(fire, name, **other.get(name, {})) for name in names}
    ids = {}
    for name, page in pages.items():
        reason = name if name in ("busy", "redial") else "unsettled"
        state = "sending" if name == "leased" else "planned"
        ids[await attempt(api, page, fire, state, reason=reason, due_at=later)] = name

    def work(conn: Any) -> tuple[int, set[str]]:
        number = recovering.hasten(conn, now, [Channel.SMS])
        due = conn.scalars(select(tables.attempts.c.id).where(tables.attempts.c.due_at <= now)).all()
        return number, {ids[each] for each in due}

    assert await api.database.write(Priority.ATTEMPT, work) == (2, {"unsettled", "busy"})
