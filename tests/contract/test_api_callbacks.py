"""Provider callbacks: forged ones are refused, true ones stored first and answered fast however slow the service is."""

import asyncio
from collections.abc import AsyncIterator
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.etree import ElementTree

import msgspec
import pytest
import pytest_asyncio
from twilio.request_validator import RequestValidator

from alerting.channels.providers.twilio_twiml import standing_script
from alerting.core.acts import KeyOutcome
from alerting.store import tables
from api.routes import callbacks as route
from devices.model import Language
from tests.contract.api_support import TWILIO, Answer, Api, running_api

ATTEMPT = "abcdefghijklm"


@pytest_asyncio.fixture
async def api(sqlite_url: str) -> AsyncIterator[Api]:
    async with running_api(sqlite_url) as running:
        yield running


async def post(api: Api, path: str, form: dict[str, str], token: str = TWILIO.auth_token) -> Answer:
    """As Twilio posts: signed over our public address."""
    signature = RequestValidator(token).compute_signature(TWILIO.public_url + path, form)
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    async with api.session.post(api.base_url + path, data=urlencode(form), headers=headers) as response:
        text = await response.text()
        return Answer(response.status, response.headers, None, text)


async def call_of(api: Api) -> str:
    """A call in progress; the path of its voice callback."""
    fire = await api.incident()
    notice = await api.page(fire, "somebody", channel="voice", text=msgspec.json.encode(SCRIPT).decode())
    now = api.deps.clock.now()
    row = {"id": ATTEMPT, "notification_id": notice, "incident_id": fire, "number": 1, "reason": "first"}
    await api.insert(tables.attempts, **row, provider="twilio", state="sent", due_at=now, planned_at=now)
    return f"/callbacks/twilio/voice?attempt={ATTEMPT}&lang=zh-CN"


SCRIPT = standing_script(Language.ZH_CN)


def words(answer: Answer) -> str:
    """What is said, and the verbs around it."""
    root = ElementTree.fromstring(answer.text)
    assert root.tag == "Response"
    return "".join(root.itertext())


async def test_a_forged_signature_is_refused_and_stores_nothing(api: Api) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    for path in (f"/callbacks/twilio/status?attempt={ATTEMPT}", await call_of(api), "/callbacks/twilio/inbound"):
        answer = await post(api, path, form, token="somebody else's")
        assert (answer.status, "problem:signature" in answer.text) == (403, True)
    assert not api.service.callbacks
    async with api.session.post(f"{api.base_url}/callbacks/twilio/status", data=form) as response:
        assert response.status == 403


async def test_a_status_is_stored_and_answered_without_a_body(api: Api) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    answer = await post(api, f"/callbacks/twilio/status?attempt={ATTEMPT}", form)
    assert (answer.status, answer.text) == (204, "")
    ((provider, kind, attempt_id, dedupe, stored),) = api.service.callbacks
    assert (provider, kind, attempt_id, stored) == ("twilio", "status", ATTEMPT, form)
    assert dedupe == "SM1|status|delivered|"


async def test_a_reply_text_is_stored_and_gets_an_empty_document(api: Api) -> None:
    answer = await post(
        api, "/callbacks/twilio/inbound", {"MessageSid": "SM2", "From": "+8613800138000", "Body": "1 好"}
    )
    assert (answer.status, answer.text) == (200, "<Response/>")
    assert answer.headers["content-type"].startswith("text/xml")
    assert api.service.callbacks[0][4]["Body"] == "1 好"


async def test_unknown_providers_and_kinds_do_not_exist(api: Api) -> None:
    assert (await post(api, "/callbacks/nobody/status", {})).status == 404
    assert (await post(api, "/callbacks/twilio/gossip", {})).status == 422


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (KeyOutcome.TAKEN, SCRIPT.recorded),
        (KeyOutcome.ALREADY_TAKEN, SCRIPT.declined),
        (KeyOutcome.DECLINED, SCRIPT.declined),
        (KeyOutcome.UNKNOWN, SCRIPT.missed),
        (KeyOutcome.HOUSEHOLD_FIRE, SCRIPT.recorded),
        (KeyOutcome.HOUSEHOLD_NO_FIRE, SCRIPT.declined),
    ],
)
async def test_a_key_is_stored_decided_and_spoken(api: Api, outcome: KeyOutcome, said: str) -> None:
    api.service.outcome = outcome
    answer = await post(api, await call_of(api), {"CallSid": "CA1", "Digits": "1"})
    assert (answer.status, words(answer)) == (200, said)
    assert api.service.keys == [(ATTEMPT, "1")]
    assert [(kind, form["Digits"]) for _, kind, _, _, form in api.service.callbacks] == [("voice", "1")]


async def test_keys_without_meaning_and_silence_decide_nothing(api: Api) -> None:
    path = await call_of(api)
    assert SCRIPT.say in words(await post(api, path, {"CallSid": "CA1", "Digits": "3"}))
    silent = await post(api, path, {"CallSid": "CA1", "Digits": ""})
    assert words(silent) == SCRIPT.missed
    assert not api.service.keys
    assert len(api.service.callbacks) == 2


async def test_a_slow_service_hears_please_wait_and_keeps_the_key(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "voice_seconds_max", 0.15)
    api.service.slow_seconds = 0.4
    started = asyncio.get_running_loop().time()
    answer = await post(api, await call_of(api), {"CallSid": "CA1", "Digits": "1"})
    assert asyncio.get_running_loop().time() - started < 0.35
    assert words(answer).startswith(standing_script("zh-CN").wait)
    redirect = ElementTree.fromstring(answer.text).findtext("Redirect")
    assert redirect is not None
    following = urlsplit(unescape(redirect))
    assert parse_qs(following.query) == {"attempt": [ATTEMPT], "lang": ["zh-CN"], "digits": ["1"], "retry": ["1"]}
    for _ in range(3):
        again = await post(api, f"{following.path}?{following.query}", {"CallSid": "CA1"})
        if words(again) == SCRIPT.recorded:
            break
    assert words(again) == SCRIPT.recorded
    assert api.service.keys == [(ATTEMPT, "1")], "the one decision went on; nobody asked twice"


async def test_with_a_slow_store_a_household_hears_its_own_words_and_its_key_is_kept(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "voice_seconds_max", 0.1)
    api.service.slow_seconds = 0.3
    own = standing_script("zh-CN", household=True)
    answer = await post(api, f"{await call_of(api)}&who=household", {"CallSid": "CA1", "Digits": "1"})
    assert words(answer).startswith(own.wait)
    redirect = ElementTree.fromstring(answer.text).findtext("Redirect")
    assert redirect is not None
    following = urlsplit(unescape(redirect))
    kept = {"attempt": [ATTEMPT], "lang": ["zh-CN"], "who": ["household"], "digits": ["1"], "retry": ["1"]}
    assert parse_qs(following.query) == kept
    path = f"{following.path}?attempt={ATTEMPT}&lang=zh-CN&who=household&digits=2&retry=3"
    assert words(await post(api, path, {"CallSid": "CA9"})) == own.missed


async def test_after_the_last_wait_the_truth_is_told(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "voice_seconds_max", 0.02)
    api.service.slow_seconds = 30
    answer = await post(api, f"{await call_of(api)}&digits=1&retry=3", {"CallSid": "CA1"})
    assert words(answer) == standing_script("zh-CN").missed


async def test_a_failing_service_hears_please_wait_too(api: Api) -> None:
    path, calls = await call_of(api), 0

    async def failing(attempt_id: str, digits: str) -> KeyOutcome:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ConnectionError("the database is gone for a moment")
        return KeyOutcome.TAKEN

    api.service.key_pressed = failing  # type: ignore[method-assign]
    first = await post(api, path, {"CallSid": "CA1", "Digits": "1"})
    assert words(first).startswith(standing_script("zh-CN").wait)
    second = await post(api, path + "&digits=1&retry=1", {"CallSid": "CA1"})
    assert words(second) == SCRIPT.recorded
