"""Our client of Twilio, against a server that answers what Twilio should not."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from alerting.channels.base import Accepted, Busy, Rejected, Scope, Submitted, Unknown
from alerting.channels.providers.twilio import build
from alerting.channels.providers.twilio_settings import TwilioSettings
from devices.model import Channel
from tests.contract.channel_suite import make_submission

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(handler, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def settings(base_url: str) -> TwilioSettings:
    return TwilioSettings("AC" + "0" * 32, "token", "+15551234567", "http://127.0.0.1:9", base_url)


async def answer_of(handler: Handler, wait_s: float = 2.0) -> Submitted:
    async with server(handler) as base_url:
        providers = build(settings(base_url))
        answer = await providers[Channel.SMS].submit(make_submission(Channel.SMS, 1, "火警", "+8613800001234"), wait_s)
        for provider in providers.values():
            await provider.close()
    return answer


def always(body: str, status: int = 201, content_type: str = "application/json", **headers: str) -> Handler:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=body, status=status, content_type=content_type, headers=headers)

    return handle


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "null", "7", "{}", '{"sid":null}', '{"sid":5}', "<html></html>"],
)
async def test_a_success_that_proves_nothing_is_unknown(body: str) -> None:
    assert await answer_of(always(body)) == Unknown("unreadable_answer")


async def test_a_reference_proves_it_whatever_else_the_answer_holds() -> None:
    assert await answer_of(always('{"sid":"SM1","date_sent":[1]}')) == Accepted("SM1")


async def test_errors_in_the_newer_form_are_read_too() -> None:
    problem = '{"type":"https://x/21211","title":"Invalid","status":400,"code":21211,"detail":"+8613800001234"}'
    assert await answer_of(always(problem, 400)) == Rejected("number_invalid", Scope.NUMBER, "21211")


@pytest.mark.parametrize("body", ["<html>no</html>", '{"code":"abc"}', '{"code":null,"message":7}', "[]"])
async def test_a_refusal_without_a_usable_code_is_the_accounts(body: str) -> None:
    answer = await answer_of(always(body, 403))
    assert isinstance(answer, Rejected)
    assert answer.scope is Scope.ACCOUNT


async def test_429_says_when_or_gets_our_own_figure() -> None:
    assert await answer_of(always("{}", 429, **{"Retry-After": "7"})) == Busy(7.0)
    assert await answer_of(always("<html>slow down</html>", 429)) == Busy(0.4)


async def test_a_message_that_was_born_dead_is_no_acceptance() -> None:
    answer = await answer_of(always('{"sid":"SM1","status":"failed","error_code":30007}'))
    assert answer == Rejected("born_failed", Scope.ACCOUNT, "30007")


async def test_a_redirect_is_not_followed_with_our_credentials() -> None:
    posts: list[str] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        posts.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    assert isinstance(await answer_of(handle), Rejected)
    assert len(posts) == 1


async def test_half_an_answer_is_cut_at_the_deadline() -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.StreamResponse(status=201, headers={"Content-Length": "100"})
        await answer.prepare(request)
        await answer.write(b'{"sid":')
        await asyncio.sleep(5)
        return answer

    started = time.monotonic()
    assert await answer_of(handle, wait_s=0.2) == Unknown("timeout")
    assert time.monotonic() - started < 4.0


def test_settings_refuse_what_cannot_work() -> None:
    for wrong in ({"validity_s": 0}, {"ring_s": 1}, {"key_sid": "SK1"}):
        with pytest.raises(ValueError, match=r"must be|together"):
            TwilioSettings("AC1", "t", "+15551234567", "http://x", **wrong)
