"""Logins: cookies, CSRF, expiry, rotation, throttling. No test waits: the clock is turned."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from sqlalchemy import update

from alerting.ports import Priority
from api import passwords, sessions
from api.permissions import ROUTES, Role
from api.rings import hash_key, stale_seconds_max
from api.sessions import COOKIE
from api.store import sessions as store
from api.store.tables import sessions as session_table
from api.store.tables import users as user_table
from gengfu.application import AppConfig, Application
from tests.contract.access_support import PASSWORD, Browser, TurnableClock, audited, rows, signed_in, user
from tests.contract.api_support import SECRET_KEY, Api, running_api

pytest_plugins = ["tests.contract.registry_fixtures"]

OPERATOR = {"role": "operator"}
ADMINISTRATOR = {"role": "administrator"}


@pytest.fixture
def clock() -> TurnableClock:
    return TurnableClock()


@pytest_asyncio.fixture
async def api(migrated_sqlite_url: str, clock: TurnableClock) -> AsyncIterator[Api]:
    async with running_api(migrated_sqlite_url, clock) as running:
        yield running


@pytest_asyncio.fixture
async def either(migrated_url: str, clock: TurnableClock) -> AsyncIterator[Api]:
    async with running_api(migrated_url, clock) as running:
        yield running


async def test_signing_in_saying_who_and_signing_out(either: Api) -> None:
    api = either
    made = await user(api, "zhiban-1", OPERATOR, language="en")
    browser = Browser(api)
    signed = await browser.sign_in("Zhiban-1 ")  # people's telephones write capitals and spaces
    assert (signed.status, signed.headers["location"]) == (201, "/api/v1/sessions/current")
    who = await browser.call("GET", "/sessions/current")
    assert who.body == signed.body
    assert (who.body["user_id"], who.body["language"], who.body["via"]) == (made["id"], "en", "session")
    assert who.body["grants"] == [{"role": "operator", "place_id": None}]
    assert (await browser.call("GET", "/incidents")).status == 200
    copy = replace(browser, cookies=[])
    assert (await browser.call("DELETE", "/sessions/current")).status == 204
    assert browser.token == ""
    assert (await copy.call("GET", "/sessions/current")).status == 401, "a copy of the cookie is as dead"
    acts = [(row.act, row.via, row.actor_id) for row in await audited(api)]
    assert acts[-2:] == [("login", "session", made["id"]), ("logout", "session", made["id"])]


async def test_the_cookie_is_as_strict_as_cookies_get(api: Api) -> None:
    browser = await signed_in(api, "zhiban-1", OPERATOR)
    (header,) = browser.cookies
    morsel = SimpleCookie(header)[COOKIE]
    assert COOKIE.startswith("__Host-")
    assert (morsel["secure"], morsel["httponly"], morsel["path"], morsel["domain"]) == (True, True, "/", "")
    assert morsel["samesite"].lower() == "strict"
    assert morsel["max-age"] == str(24 * 3600)
    assert len(morsel.value) >= 43
    await browser.call("DELETE", "/sessions/current")
    gone = SimpleCookie(browser.cookies[-1])[COOKIE]
    assert (gone["max-age"], gone["secure"], gone["path"]) == ("0", True, "/")


async def test_the_database_holds_neither_token_nor_password(api: Api) -> None:
    browser = await signed_in(api, "zhiban-1", OPERATOR)
    stored = str(await rows(api, session_table)) + str(await rows(api, user_table)) + str(await audited(api))
    assert browser.token not in stored
    assert PASSWORD not in stored
    assert hash_key(SECRET_KEY, browser.token) in stored
    assert f"$argon2id$v=19$m={passwords.memory_kib},t={passwords.rounds},p={passwords.lanes}$" in stored
    assert (passwords.memory_kib >= 19 * 1024, passwords.rounds >= 2, passwords.lanes >= 1) == (True, True, True)


@pytest.mark.parametrize("csrf", ["", "0" * 64, "ä"])
async def test_without_the_sessions_own_token_nothing_is_changed(api: Api, csrf: str) -> None:
    browser = await signed_in(api, "admin", ADMINISTRATOR)
    other = await signed_in(api, "other", ADMINISTRATOR)
    body = {"kind": "city", "name": "信阳市"}
    for wrong in (csrf, other.csrf):
        answer = await replace(browser, csrf=wrong).call("POST", "/places", body, Accept_Language="en")
        assert (answer.status, "X-CSRF-Token" in answer.body["detail"]) == (403, True)
    assert (await replace(browser, csrf=csrf).call("GET", "/places")).body["items"] == []
    assert (await browser.call("POST", "/places", body)).status == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_another_sites_request_is_refused_token_or_not(api: Api, headers: dict[str, str]) -> None:
    browser = await signed_in(api, "admin", ADMINISTRATOR)
    body = {"kind": "city", "name": "信阳市"}
    assert (await browser.call("POST", "/places", body, **headers)).status == 403
    assert (await Browser(api).sign_in("admin", **headers)).status == 403, "nor may it sign somebody in"
    own = {"Origin": api.base_url}
    assert (await browser.call("POST", "/places", body, **own)).status == 201
    other = body | {"name": "南阳市"}
    assert (await browser.call("POST", "/places", other, Sec_Fetch_Site="same-origin", **own)).status == 201


async def test_a_key_needs_no_csrf_token_and_goes_before_a_cookie(api: Api) -> None:
    browser = await signed_in(api, "viewer", {"role": "viewer"})
    key = await api.token(Role.ADMINISTRATOR)
    body = {"kind": "city", "name": "信阳市"}
    sent: Any = {"Cookie": f"{COOKIE}={browser.token}"}
    assert (await api.call("POST", "/places", body, key=key, **sent)).status == 201
    assert (await api.call("POST", "/places", body, key="gf_" + "A" * 43, **sent)).status == 401
    assert (await api.call("GET", "/sessions/current", key=key, **sent)).body["via"] == "key"


async def test_a_cookie_that_was_tampered_with_opens_nothing(api: Api) -> None:
    browser = await signed_in(api, "zhiban-1", OPERATOR)
    token = browser.token
    flipped = token[:-1] + ("A" if token[-1] != "A" else "B")
    for wrong in (
        flipped,
        token + "x",
        token[:-1],
        "gs_" + "A" * 43,
        "x",
        hash_key(SECRET_KEY, token),
        "gs_" + "ä" * 43,
    ):
        assert (await Browser(api, wrong).call("GET", "/incidents")).status == 401, wrong
    assert (await browser.call("GET", "/incidents")).status == 200


async def test_a_token_planted_before_signing_in_is_never_taken_over(api: Api) -> None:
    await user(api, "zhiban-1", OPERATOR)
    planted = "gs_" + "A" * 43
    browser = Browser(api, planted)
    await browser.sign_in("zhiban-1")
    assert browser.token != planted
    assert (await Browser(api, planted).call("GET", "/incidents")).status == 401
    first = replace(browser, cookies=[])
    await browser.sign_in("zhiban-1")
    assert browser.token != first.token
    assert (await first.call("GET", "/incidents")).status == 401, "signing in again ends what the browser had"
    assert (await browser.call("GET", "/incidents")).status == 200


async def test_a_session_nobody_uses_ends_and_one_in_use_ends_after_a_day(either: Api, clock: TurnableClock) -> None:
    api = either
    idle, used = await signed_in(api, "idle", OPERATOR), await signed_in(api, "used", OPERATOR)
    alive = 0
    for _ in range(30):
        clock.turn(timedelta(hours=1))
        status = (await used.call("GET", "/incidents")).status
        if status == 401:
            break
        alive += 1
        await settled(api)
        if alive == 2:
            assert (await idle.call("GET", "/incidents")).status == 401
    assert alive == 23


async def settled(api: Api) -> None:
    """Whatever the rings write in the background is written."""
    noting = api.deps.sessions._noting
    if noting is not None:
        await noting


async def test_a_workers_telephone_stays_signed_in_for_weeks(api: Api, clock: TurnableClock) -> None:
    person = await api.person("jia")
    worker = await signed_in(api, "jia", {"role": "grid_worker"}, person_id=person)
    clock.turn(timedelta(days=29))
    assert (await worker.call("GET", "/incidents")).status == 200
    clock.turn(timedelta(days=62))
    assert (await worker.call("GET", "/incidents")).status == 401


async def test_use_noted_by_another_process_keeps_a_session_alive(api: Api, clock: TurnableClock) -> None:
    browser = await signed_in(api, "zhiban-1", OPERATOR)
    assert (await browser.call("GET", "/incidents")).status == 200
    clock.turn(timedelta(hours=3))
    seen = update(session_table).values(last_seen_at=clock.now() - timedelta(minutes=1))
    await api.database.write(Priority.ADMINISTRATION, lambda conn: conn.execute(seen))
    assert (await browser.call("GET", "/incidents")).status == 200


async def test_what_another_process_ends_or_changes_holds_within_seconds(either: Api, clock: TurnableClock) -> None:
    api = either
    made = await user(api, "zhiban-1", OPERATOR)
    ended, changed = Browser(api), Browser(api)
    await ended.sign_in("zhiban-1")
    await changed.sign_in("zhiban-1")
    for browser in (ended, changed):
        assert (await browser.call("GET", "/incidents")).status == 200
    hashed = hash_key(SECRET_KEY, ended.token)
    await api.database.write(Priority.ADMINISTRATION, lambda conn: store.end(conn, hashed, clock.now()))
    assert (await ended.call("GET", "/incidents")).status == 200, "known, not looked up: that is what makes it quick"
    clock.turn(timedelta(seconds=stale_seconds_max))
    assert (await ended.call("GET", "/incidents")).status == 401
    assert (await changed.call("GET", "/incidents")).status == 200
    off = (
        update(user_table).where(user_table.c.id == made["id"]).values(disabled_at=clock.now(), changed_at=clock.now())
    )
    await api.database.write(Priority.ADMINISTRATION, lambda conn: conn.execute(off))
    clock.turn(timedelta(seconds=stale_seconds_max))
    assert (await changed.call("GET", "/incidents")).status == 401


async def test_a_disabled_user_is_out_at_once_and_stays_out_of_his_old_sessions(api: Api) -> None:
    made = await user(api, "zhiban-1", OPERATOR)
    browser = Browser(api)
    await browser.sign_in("zhiban-1")
    for disabled in (True, False):
        answer = await api.call("PATCH", f"/users/{made['id']}", {"disabled": disabled}, If_Match="*")
        assert (answer.status, answer.body["disabled"]) == (200, disabled)
        assert (await browser.call("GET", "/incidents")).status == 401
        assert (await Browser(api).sign_in("zhiban-1")).status == (401 if disabled else 201)


async def test_another_password_ends_the_other_sessions(api: Api) -> None:
    made = await user(api, "zhiban-1", OPERATOR)
    here, there = Browser(api), Browser(api)
    await here.sign_in("zhiban-1")
    await there.sign_in("zhiban-1")
    path, new = f"/users/{made['id']}/password", "battery staple 43"
    missing = await here.call("POST", path, {"password": new})
    assert (missing.status, missing.body["errors"][0]["pointer"]) == (422, "#/current_password")
    wrong = await here.call("POST", path, {"password": new, "current_password": "wrong"})
    assert (wrong.status, wrong.body["errors"][0]["code"]) == (422, "wrong_password")
    short = await here.call("POST", path, {"password": "short", "current_password": PASSWORD}, Accept_Language="en")
    assert (short.status, short.body["errors"][0]["message"]) == (422, "Must have 10 to 128 characters.")
    assert (await there.call("GET", "/incidents")).status == 200
    assert (await here.call("POST", path, {"password": new, "current_password": PASSWORD})).status == 200
    assert (await here.call("GET", "/incidents")).status == 200
    assert (await there.call("GET", "/incidents")).status == 401
    assert (await Browser(api).sign_in("zhiban-1")).status == 401
    assert (await Browser(api).sign_in("zhiban-1", new)).status == 201
    assert (await api.call("POST", path, {"password": PASSWORD})).status == 200, "an administrator needs no old one"
    assert (await here.call("GET", "/incidents")).status == 401


async def test_nobody_sets_anybodys_password_but_an_administrator(api: Api) -> None:
    victim = await user(api, "victim", OPERATOR)
    for role in set(Role) - {Role.ADMINISTRATOR}:
        key = await api.key(role, "somebody")
        answer = await api.call("POST", f"/users/{victim['id']}/password", {"password": "battery staple 43"}, key=key)
        assert answer.status == 404, role
    assert (await Browser(api).sign_in("victim")).status == 201


async def test_the_role_walk_holds_for_sessions_as_for_keys(api: Api) -> None:
    person = await api.person("jia")
    for role in Role:
        browser = await signed_in(api, f"user-{role}", {"role": role.value}, person_id=person)
        for route, roles in ROUTES.items():
            method, path = route.split(" ")
            if (path.endswith("/stream") and role in roles) or route == "DELETE /api/v1/sessions/current":
                continue  # one never ends, the other ends the walk
            answer = await browser.call(method, path)
            assert answer.status != 401, (role, route)
            assert (answer.status != 403) is (role in roles), (role, route, answer.body)


async def test_a_user_with_several_roles_acts_with_those_that_open_the_route(api: Api) -> None:
    place = (await api.call("POST", "/places", {"kind": "city", "name": "甲市", "code": "a"})).body["id"]
    other = (await api.call("POST", "/places", {"kind": "city", "name": "乙市", "code": "b"})).body["id"]
    browser = await signed_in(api, "mixed", {"role": "viewer", "place_id": "a"}, {"role": "installer", "place_id": "b"})
    seen = {item["id"] for item in (await browser.call("GET", "/places")).body["items"]}
    assert seen == {place, other}
    rename = {"name": "丙市"}
    assert (await browser.call("PATCH", f"/places/{other}", rename, If_Match="*")).status == 200
    assert (await browser.call("PATCH", f"/places/{place}", rename, If_Match="*")).status == 404, "there he only looks"


async def test_an_address_open_to_a_network_takes_no_logins(api: Api) -> None:
    from tests.contract.api_support import serving

    await user(api, "zhiban-1", OPERATOR)
    async with serving(replace(api.deps, insecure=True)) as base_url:
        open_api = replace(api, base_url=base_url)
        answer = await Browser(open_api).sign_in("zhiban-1", Accept_Language="en")
        assert answer.status == 403
        assert "GENGFU_HTTP_TLS_CERT" in answer.body["detail"]
        assert "GENGFU_TRUSTED_PROXIES" in answer.body["detail"]
        assert (await open_api.call("GET", "/incidents")).status == 200, (
            "keys are for programs, which know where they talk"
        )


async def test_the_service_itself_judges_its_address_by_the_rule_of_the_doctor(migrated_sqlite_url: str) -> None:
    """`127.1` is no address that the rule takes for loopback, though it binds there: nothing is open to a network."""
    for host, status in (("127.1", 403), ("127.0.0.1", 401)):
        config = AppConfig(migrated_sqlite_url, SECRET_KEY, http_host=host, roles=frozenset({"api"}))
        async with Application(config) as running, aiohttp.ClientSession() as client:
            port = running.http_url.rpartition(":")[2]
            body = {"login": "nobody", "password": PASSWORD}
            async with client.post(f"http://127.0.0.1:{port}/api/v1/sessions", json=body) as response:
                assert response.status == status


async def test_a_session_that_ends_takes_its_stream_along(api: Api) -> None:
    browser = await signed_in(api, "zhiban-1", OPERATOR)
    headers = {"Cookie": f"{COOKIE}={browser.token}"}
    async with api.session.get(f"{api.base_url}/api/v1/stream", headers=headers) as response:
        assert response.status == 200
        await browser.call("DELETE", "/sessions/current")
        assert (await response.content.read()).endswith(b"}\n\n")


def test_lifetimes_are_bounded() -> None:
    assert sessions.desk_idle_max < sessions.desk_lives <= timedelta(days=1)
    assert sessions.worker_idle_max < sessions.worker_lives <= timedelta(days=90)
