"""Provider callbacks: forged ones are refused, true ones stored first and answered fast however slow the service is."""

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from html import unescape
from typing import Any, cast
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from xml.etree import ElementTree

import aiohttp
import msgspec
import pytest
import pytest_asyncio
from twilio.request_validator import RequestValidator

from alerting.channels.base import CallbackRequest, Callbacks, Spoken, Stored
from alerting.channels.providers.twilio_twiml import standing_script
from alerting.core.acts import KeyOutcome
from alerting.store import tables
from api.middleware import SECURITY_HEADERS
from api.routes import callbacks as route
from api.twilio import TwilioCallbacks
from devices.model import Language
from tests.contract.api_support import TWILIO, Answer, Api, running_api, serving

ATTEMPT = "abcdefghijklm"


@pytest_asyncio.fixture
async def api(migrated_sqlite_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_sqlite_url) as running:
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
    assert (await post(api, "/callbacks/twilio/gossip", {})).status == 404


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


class Plain:
    """A vendor whose callbacks carry a key in the address and words in JSON."""

    def verify(self, request: CallbackRequest, now: datetime) -> bool:
        if request.query.get("boom"):
            raise RuntimeError("a check that stumbles")
        return request.query.get("key") == "secret"

    def read(self, request: CallbackRequest) -> Sequence[Stored]:
        if request.kind not in ("sms", "hello"):
            raise LookupError(request.kind)
        if request.method == "GET":
            return []
        words = msgspec.json.decode(request.body)
        return [Stored("sms", word["id"], word["dedupe"], word) for word in words]

    def answer(self, request: CallbackRequest) -> Spoken | None:
        return Spoken("application/json", '{"code":0}') if request.kind == "sms" else Spoken("text/plain", "echo")


@pytest_asyncio.fixture
async def plain(api: Api) -> Api:
    cast(dict[str, Callbacks], api.deps.vendor_callbacks)["plain"] = Plain()
    return api


async def tell(api: Api, path: str, body: Any = b"", method: str = "POST", **headers: str) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with api.session.request(method, api.base_url + path, data=body, headers=sent) as response:
        return Answer(response.status, response.headers, None, await response.text())


WORDS = msgspec.json.encode([{"id": ATTEMPT, "dedupe": "a"}, {"id": ATTEMPT, "dedupe": "b" * 300}])


async def test_every_word_of_any_vendor_is_stored_before_it_is_answered(plain: Api) -> None:
    answer = await tell(plain, "/callbacks/plain/sms?key=secret", WORDS)
    assert (answer.status, answer.text) == (200, '{"code":0}')
    stored = [(provider, kind, attempt, len(dedupe)) for provider, kind, attempt, dedupe, _ in plain.service.callbacks]
    assert stored == [("plain", "sms", ATTEMPT, 1), ("plain", "sms", ATTEMPT, 64)]


async def test_an_address_check_is_answered(plain: Api) -> None:
    answer = await tell(plain, "/callbacks/plain/hello?key=secret", method="GET")
    assert (answer.status, answer.text) == (200, "echo")
    assert not plain.service.callbacks


@pytest.mark.parametrize("query", ["", "?key=wrong", "?boom=1"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_no_vendor_sent_changes_nothing(plain: Api, query: str, method: str) -> None:
    answer = await tell(plain, f"/callbacks/plain/sms{query}", WORDS, method)
    assert (answer.status, "problem:signature" in answer.text) == (403, True)
    assert not plain.service.callbacks


async def test_what_cannot_be_read_is_malformed(plain: Api) -> None:
    for body in (b"<html>502 Bad Gateway</html>", b"", b"[1]", b"[" * 50_000, b"\xff\xfe", b'[{"id": 1}]'):
        assert (await tell(plain, "/callbacks/plain/sms?key=secret", body)).status == 400
    assert not plain.service.callbacks


async def test_vendors_and_kinds_that_nobody_has_do_not_exist(plain: Api) -> None:
    assert (await tell(plain, "/callbacks/nobody/sms?key=secret", WORDS)).status == 404
    assert (await tell(plain, "/callbacks/plain/gossip?key=secret", WORDS)).status == 404
    assert (await tell(plain, "/callbacks/twilio/status", method="GET")).status == 404


async def test_where_nothing_can_keep_it_the_sender_is_asked_to_come_back(plain: Api) -> None:
    plain.service.not_kept = True
    answer = await tell(plain, "/callbacks/plain/sms?key=secret", WORDS)
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "GZIP"])
async def test_a_compressed_body_is_never_unpacked(plain: Api, encoding: str) -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    for path in ("/callbacks/plain/sms?key=secret", f"/callbacks/twilio/status?attempt={ATTEMPT}"):
        answer = await tell(plain, path, bomb, content_encoding=encoding)
        assert answer.status == 415
    assert not plain.service.callbacks


async def test_a_huge_body_is_refused_and_memory_stays_flat(plain: Api) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(640):  # 10 MB without a declared length
            yield b"0" * 16_384

    tracemalloc.start()
    for body in (b"0" * 900_000, endless()):
        try:
            assert (await tell(plain, "/callbacks/plain/sms?key=secret", body)).status == 413
        except aiohttp.ClientError:
            continue  # the server has closed the line under the rest of it
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000
    assert not plain.service.callbacks
    assert (await tell(plain, "/callbacks/plain/sms?key=secret", WORDS)).status == 200


async def test_what_became_of_each_is_counted(api: Api) -> None:
    counted: list[tuple[str, str]] = []
    deps = replace(api.deps, count_callback=lambda provider, outcome: counted.append((provider, outcome)))
    cast(dict[str, Callbacks], deps.vendor_callbacks)["plain"] = Plain()
    async with serving(deps) as base_url, aiohttp.ClientSession() as session:

        async def asked(path: str, body: bytes = WORDS, headers: dict[str, str] | None = None) -> None:
            async with session.post(f"{base_url}/callbacks/{path}", data=body, headers=headers) as response:
                await response.read()

        await asked("plain/sms?key=secret")
        await asked("plain/sms?key=other")
        await asked("plain/sms?key=secret", b"<html>")
        await asked("plain/sms?key=secret", b"0" * 100_000)
        await asked("plain/sms", headers={"content-encoding": "gzip"})
        await asked("twilio/status", b"a=b")
        await asked("stranger/sms")
    assert counted == [
        ("plain", "stored"),
        ("plain", "forged"),
        ("plain", "malformed"),
        ("plain", "too_large"),
        ("plain", "encoded"),
        ("twilio", "forged"),
    ], "a stranger's name is no label"


async def test_a_shared_key_signs_with_sha256(api: Api) -> None:
    settings = replace(TWILIO, webhook_key="the-shared-key")
    cast(dict[str, TwilioCallbacks], api.deps.callbacks)["twilio"] = TwilioCallbacks(settings)
    path, form = f"/callbacks/twilio/status?attempt={ATTEMPT}", {"MessageSid": "SM1", "MessageStatus": "delivered"}
    signed = RequestValidator("the-shared-key").compute_signature(TWILIO.public_url + path, form, "HMAC_SHA256")
    headers = {"X-Twilio-Signature": signed, "Content-Type": "application/x-www-form-urlencoded"}
    for settings_header, expected in (
        ("key=webhooks_sharedkey_1,algorithm=HMAC_SHA256", 204),
        ("key=webhooks_sharedkey_1,algorithm=HMAC_MD5", 403),
        ("", 403),
    ):
        sent = headers | {"X-Twilio-Webhooks-Signature-Settings": settings_header}
        async with api.session.post(api.base_url + path, data=urlencode(form), headers=sent) as response:
            assert response.status == expected
    assert len(api.service.callbacks) == 1


async def test_answers_to_callbacks_carry_the_security_headers_of_every_other_answer(api: Api) -> None:
    """They are given before the layer that adds them elsewhere."""
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    path = f"/callbacks/twilio/status?attempt={ATTEMPT}"
    for answer in (await post(api, path, form), await post(api, path, form, token="forged")):
        for name, value in SECURITY_HEADERS:
            assert answer.headers[name.decode()] == value.decode()


@pytest.mark.parametrize("text", ["", "a", "a=", "a=1&a=2", "a+b=%E7%81%AB+x&&b=%ff", "=x", "a=b=c", "%41=%2B"])
def test_fields_are_read_as_the_standard_library_reads_them(text: str) -> None:
    assert route._pairs(text) == parse_qsl(text, keep_blank_values=True)
    with pytest.raises(ValueError, match="too many"):
        route._pairs("&".join(["a=1"] * (route.fields_max + 1)))
