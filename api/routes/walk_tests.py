"""The alarm test 报警测试 of one device: start, watch live, abort. Whom it would call is shown, not called."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection

from alerting import walk_tests
from alerting.ports import Priority
from alerting.store import walk_tests as store
from alerting.stream import StreamEntry, encode
from alerting.walk_tests import Tester
from api import audit
from api.auth import GuardedRoute, caller_of, secret_of
from api.deps import Deps, Use
from api.errors import Problem, conflict, invalid, not_found
from api.idempotency import Made, make_once
from api.pages import answer
from api.permissions import PREFIX
from api.routes.stream import EventStream
from api.schemas.testing import WalkTestIn, WalkTestOut
from api.walk_test_views import shown
from devices.model import Channel, DeviceState
from devices.phones import normalise
from devices.store import test_mode
from devices.store.test_mode import Tested

router = APIRouter(prefix=f"{PREFIX}/devices/{{id}}/walk-test", tags=["testing"], route_class=GuardedRoute)

look_every_s = 0.25
comment_every_s = 15.0
idle_comment = b":\n\n"


@router.post("", status_code=201, response_model=WalkTestOut)
async def start_walk_test(id: str, request: Request, use: Use, body: WalkTestIn | None = None) -> Response:
    """The device is in test mode until the test ends. Passed, it is commissioned 已验收."""
    wish = body or WalkTestIn()
    number = _number(use, wish)

    def work(conn: Connection) -> Made:
        device = _device(conn, request, id)
        if device.state is DeviceState.REMOVED:
            raise conflict("#", "device_removed")
        if device.place_id is None:
            raise conflict("#", "no_place")
        if store.running(conn, [device.device_id]):
            raise conflict("#", "walk_test_running")
        who = caller_of(request)
        now = use.clock.now()
        test = walk_tests.start(conn, device, Tester(who.key_id, who.name), use.ids.uuid7(), now)
        if number is not None:
            refused = walk_tests.real_messages(conn, test, number, wish.language, use.ids, use.timezone)
            if refused is not None:
                raise conflict("#/real_call_to", refused.value)
            use.service.tell_senders(conn)
        detail = {"walk_test": test.id, "ends_at": test.ends_at.isoformat(), "real_messages": number is not None}
        audit.note(conn, request, use, "start_walk_test", "devices", device.device_id, path=device.path, detail=detail)
        return Made(shown(conn, test).model_dump(mode="json"))

    made = await make_once(request, use, work)
    if made.fresh and number is not None:
        use.service.wake()
    return made.response()


@router.get("", response_model=WalkTestOut)
async def read_walk_test(id: str, request: Request, use: Use) -> Response:
    """The test that runs, or the last one."""
    return answer(await use.database.read(lambda conn: _newest(conn, request, id)))


@router.delete("", response_model=WalkTestOut)
async def abort_walk_test(id: str, request: Request, use: Use) -> Response:
    """End it now. An alarm of it that was not restored yet still pages when it is due."""

    def work(conn: Connection) -> dict[str, Any]:
        device = _device(conn, request, id)
        test = walk_tests.abort(conn, device.device_id, use.clock.now())
        if test is None:
            raise not_found()
        detail = {"walk_test": test.id}
        audit.note(conn, request, use, "abort_walk_test", "devices", device.device_id, path=device.path, detail=detail)
        return shown(conn, test).model_dump(mode="json")

    return answer(await use.database.write(Priority.ADMINISTRATION, work))


@router.get("/events", response_class=StreamingResponse)
async def watch_walk_test(id: str, request: Request, use: Use) -> StreamingResponse:
    """Events `walk_test`, each the whole state: one at once, one for every change, until the test has ended."""
    first = await use.database.read(lambda conn: _newest(conn, request, id))
    return EventStream(_frames(use, request, id, first))


async def _frames(deps: Deps, request: Request, device_id: str, first: dict[str, Any]) -> AsyncGenerator[bytes, None]:
    """The row is asked again and again: any process may be the one that hears the device. So is the caller's right."""
    told, latest, quiet_s = None, first, 0.0
    ring, secret = secret_of(request)
    while True:
        if latest != told:
            told, quiet_s = latest, 0.0
            yield encode(StreamEntry(None, "walk_test", msgspec.json.encode(latest)))
        elif quiet_s >= comment_every_s:
            quiet_s = 0.0
            yield idle_comment
        if latest["state"] != "running" or latest["id"] != first["id"] or await ring.find(secret) is None:
            return
        await asyncio.sleep(look_every_s)
        quiet_s += look_every_s
        latest = await deps.database.read(lambda conn: _newest(conn, request, device_id))


def _newest(conn: Connection, request: Request, device_id: str) -> dict[str, Any]:
    device = _device(conn, request, device_id)
    test = store.newest_of(conn, device.device_id)
    if test is None:
        raise not_found()
    return shown(conn, test).model_dump(mode="json")


def _device(conn: Connection, request: Request, device_id: str) -> Tested:
    """Within the caller's scope; Problem 404."""
    found = test_mode.get(conn, device_id)
    scope = caller_of(request).scope(conn)
    if found is None or not (scope.everything or scope.covers(found.path)):
        raise not_found()
    return found


def _number(deps: Deps, wish: WalkTestIn) -> str | None:
    """Where the real text and call go; Problem when nothing can carry them."""
    if wish.real_call_to is None:
        return None
    number = normalise(wish.real_call_to)
    if number is None:
        raise invalid("#/real_call_to", "phone")
    if Channel.SMS not in deps.carried:
        raise Problem(503, "unavailable", "no_sms_provider")
    if Channel.VOICE not in deps.carried:
        raise Problem(503, "unavailable", "no_voice_provider")
    return number
