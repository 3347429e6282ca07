"""Every route that changes something leaves a row in the audit: walked over the permission table."""

from api.permissions import OPEN, PREFIX, ROUTES, Role
from tests.contract.access_support import PASSWORD, Browser
from tests.contract.scope_asking import World
from tests.contract.scope_cases import WHOLE, body_of, short

pytest_plugins = ["tests.contract.scope_fixtures"]

NO_ROW = {
    "POST notifications/{id}/received": "ten thousand within seconds of a storm; the attempt's own row says it",
    "POST workers/{id}/contacts/{contact_id}/verification/confirm": "a wrong code changes nothing but its count",
}
"""Unsafe routes that leave none, and why."""
NOT_WALKED = {
    f"DELETE {PREFIX}/sessions/current": "its own test below",
    f"POST {PREFIX}/sessions": "its own test below",
    f"POST {PREFIX}/imports": "test_import_scope.py",
    "POST /callbacks/{provider}/{kind}": "a provider's word; the inbox and the timeline hold it",
    "POST /a/{token}": "a household's word; the timeline holds it",
}


async def test_every_change_leaves_a_row(world: World) -> None:
    walked = set()
    async for each in world.reach():
        if each.route.startswith("GET ") or each.answer.status >= 400:
            continue
        walked.add(each.route)
        if short(each.route) not in NO_ROW:
            assert each.audited >= 1, f"{each.route} leaves no row in the audit"
    everything = await world.api.token(Role.ADMINISTRATOR)
    shared = {
        noun: (await world.api.call("GET", f"/{noun}")).body["items"][0]["id"] for noun in ("organisations", "models")
    }
    world.mine.ids |= shared
    for route in sorted(
        WHOLE & set(ROUTES), key=lambda route: ("POST", "PUT", "PATCH", "DELETE").index(route.split()[0])
    ):
        before = await world.audited()
        answer = await world.call(route, world.mine, body_of(route, world.mine), everything)
        if answer.status < 400:
            walked.add(route)
            assert await world.audited() == before + 1, f"{route} leaves no row in the audit"
    unsafe = {route for route in set(ROUTES) | OPEN if not route.startswith("GET ")}
    missed = {route for route in unsafe - walked if short(route) not in NO_ROW and route not in NOT_WALKED}
    assert missed == set(), "not walked, or refused"


async def test_signing_in_failing_to_and_signing_out_leave_a_row_each(world: World) -> None:
    browser = Browser(world.api)
    login = world.mine.code("user")
    for password, act in (("wrong", "login_failed"), (PASSWORD, "login")):
        before = await world.audited()
        await browser.sign_in(login, password)
        assert await world.audited() == before + 1
        assert (await world.api.call("GET", "/audit?limit=1")).body["items"][0]["act"] == act
    await browser.call("DELETE", "/sessions/current")
    assert (await world.api.call("GET", "/audit?limit=1")).body["items"][0]["act"] == "logout"


async def test_a_refused_change_leaves_none(world: World) -> None:
    before = await world.audited()
    key = await world.key(Role.ADMINISTRATOR)
    assert (await world.api.call("POST", "/places", {"kind": "city"}, key=key)).status == 422
    assert (
        await world.api.call("PATCH", f"/places/{world.other.ids['room']}", {}, key=key, If_Match="*")
    ).status == 404
    assert (
        await world.api.call("PATCH", f"/places/{world.mine.ids['room']}", {}, key=key, If_Match='"99"')
    ).status == 412
    assert await world.audited() == before


async def test_the_chain_holds_after_all_of_it(world: World) -> None:
    from devices.store import audit

    _ = [each async for each in world.reach()]
    count, _ = await world.api.database.read(audit.verify)
    assert count > 60
