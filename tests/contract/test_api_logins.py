"""Passwords: what a wrong one costs, how often one may guess, how they are kept. No test waits: the clock is turned."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import update

from alerting.ports import Priority
from api import passwords, throttle
from api.logins import failures_audited_max
from api.passwords import hash_password
from api.store.tables import users as user_table
from tests.contract.access_support import PASSWORD, Browser, TurnableClock, audited, rows, user
from tests.contract.api_support import Api, running_api

OPERATOR = {"role": "operator"}


@pytest.fixture
def clock() -> TurnableClock:
    return TurnableClock()


@pytest_asyncio.fixture
async def api(migrated_sqlite_url: str, clock: TurnableClock) -> AsyncIterator[Api]:
    async with running_api(migrated_sqlite_url, clock) as running:
        yield running


async def test_wrong_password_and_unknown_login_are_told_and_cost_the_same(api: Api, clock: TurnableClock) -> None:
    made = await user(api, "zhiban-1", OPERATOR)
    await user(api, "off", OPERATOR, disabled=True)
    before = counted(api)
    answers = []
    for login, password in (("zhiban-1", "wrong"), ("nobody", "wrong"), ("off", PASSWORD), ("nobody", "")):
        answer = await Browser(api).sign_in(login, password)
        answers.append((answer.status, answer.text))
        assert counted(api) == before + len(answers), "exactly one verification, whoever it is"
    assert len(set(answers)) == 1
    assert answers[0][0] == 401
    failed = [row for row in await audited(api) if row.act == "login_failed"]
    assert [row.object_id for row in failed][:2] == [made["id"], "unknown"]
    assert "nobody" not in str(failed), "what is typed into the wrong field may be a password"


def counted(api: Api) -> int:
    """How many passwords this server has verified."""
    return api.deps.logins.passwords.verifications


async def test_five_failures_close_a_login_until_a_quarter_of_an_hour_has_passed(
    api: Api, clock: TurnableClock
) -> None:
    await user(api, "zhiban-1", OPERATOR)
    for _ in range(throttle.failures_max):
        assert (await Browser(api).sign_in("zhiban-1", "wrong")).status == 401
        clock.turn(timedelta(seconds=60))
    before = counted(api)
    answer = await Browser(api).sign_in("zhiban-1", Accept_Language="en")
    assert (answer.status, answer.body["type"]) == (429, "urn:gengfu:problem:throttled")
    wait = int(answer.headers["Retry-After"])
    assert 500 <= wait <= 600
    assert counted(api) == before, "no work is done for somebody who guesses"
    clock.turn(timedelta(seconds=wait))
    assert (await Browser(api).sign_in("zhiban-1")).status == 201


async def test_an_address_is_closed_whatever_logins_it_tries(api: Api) -> None:
    await user(api, "zhiban-1", OPERATOR)
    for number in range(throttle.failures_max):
        assert (await Browser(api).sign_in(f"guess-{number}", "wrong")).status == 401
    assert (await Browser(api).sign_in("zhiban-1")).status == 429


async def test_who_knows_his_password_is_never_throttled(api: Api) -> None:
    await user(api, "zhiban-1", OPERATOR)
    for _ in range(2):
        for _ in range(2):
            assert (await Browser(api).sign_in("zhiban-1", "wrong")).status == 401
        for _ in range(throttle.failures_max + 1):
            assert (await Browser(api).sign_in("zhiban-1")).status == 201


async def test_failures_fill_neither_the_audit_nor_the_memory(api: Api, clock: TurnableClock) -> None:
    logins = api.deps.logins
    for number in range(failures_audited_max + 10):
        await logins._note_failure("", None, f"192.0.2.{number}")
    failed = [row for row in await audited(api) if row.act == "login_failed"]
    assert len(failed) == failures_audited_max
    clock.turn(timedelta(seconds=throttle.window_s))
    await logins._note_failure("", None, "192.0.2.1")
    assert (await audited(api))[-1].detail["not_recorded"] == 10


async def test_a_weaker_hash_is_made_anew_when_its_owner_signs_in(api: Api) -> None:
    made = await user(api, "zhiban-1", OPERATOR)
    weak = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8 * 1024, parallelism=1),)).hash(PASSWORD)
    await api.database.write(
        Priority.ADMINISTRATION, lambda conn: conn.execute(update(user_table).values(password_hash=weak))
    )
    assert (await Browser(api).sign_in("zhiban-1", "wrong")).status == 401
    (row,) = await rows(api, user_table)
    assert row.password_hash == weak
    assert (await Browser(api).sign_in("zhiban-1")).status == 201
    (row,) = await rows(api, user_table)
    assert f"m={passwords.memory_kib},t={passwords.rounds}" in row.password_hash
    assert (await Browser(api).sign_in("zhiban-1")).status == 201
    assert row.id == made["id"]


async def test_a_hash_that_is_none_opens_nothing(api: Api) -> None:
    await user(api, "zhiban-1", OPERATOR)
    for broken in ("", "x", PASSWORD, hash_password(PASSWORD)[:-10]):
        change = update(user_table).values(password_hash=broken)
        await api.database.write(Priority.ADMINISTRATION, lambda conn, change=change: conn.execute(change))  # type: ignore[misc]
        assert (await Browser(api).sign_in("zhiban-1")).status == 401
        api.deps.logins._by_login.clear("zhiban-1")
        api.deps.logins._by_network.clear("127.0.0.1")
