"""Feishu's callbacks: the vendor's published sample, and what must not be believed."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerting.channels import buttons
from alerting.channels.base import CallbackRequest, Spoken
from alerting.channels.providers import feishu_crypto
from alerting.channels.providers.feishu_callbacks import FeishuCallbacks
from alerting.channels.providers.feishu_settings import FeishuSettings
from simulators.feishu import sealing

now = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
stamp = str(int(now.timestamp()))
key, token, who, attempt = "encrypt-key", "verification-token", "ou_jia", "A1B2C3D4E5F6G"
settings = FeishuSettings(app_id="cli", app_secret="s", encrypt_key=key, verification_token=token)
callbacks = FeishuCallbacks(settings)


def document(carried: str, **operator: str) -> dict[str, Any]:
    header = {"event_id": "e1", "token": token, "event_type": "card.action.trigger"}
    event = {"operator": operator or {"open_id": who}, "action": {"value": {"key": carried}, "tag": "button"}}
    return {"schema": "2.0", "header": header, "event": event}


def posted(told: dict[str, Any], *, sealed_with: str = key, at: str = stamp, signed: bool = True) -> CallbackRequest:
    body = sealing.close(sealed_with, told)
    given = {name.lower(): value for name, value in sealing.headers(sealed_with, body, at).items()} if signed else {}
    return CallbackRequest("POST", "card", "/callbacks/feishu/card", {}, given, body)


def carried(digit: str = "1", person: str = who) -> str:
    return buttons.key(key, attempt, person, digit, "zh-CN")


def test_the_vendors_published_sample_opens() -> None:
    assert feishu_crypto.unsealed("test key", "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=") == b"hello world"


def test_the_address_check_is_answered_without_a_signature_but_not_without_our_key_and_token() -> None:
    check = {"type": "url_verification", "token": token, "challenge": "c1"}
    asked = posted(check, signed=False)
    assert callbacks.verify(asked, now)
    assert callbacks.read(asked) == []
    assert callbacks.answer(asked) == Spoken("application/json", '{"challenge": "c1"}')
    assert not callbacks.verify(posted(check, sealed_with="other", signed=False), now)
    assert not callbacks.verify(posted(check | {"token": "other"}, signed=False), now)


@pytest.mark.parametrize("ids", [{"open_id": who}, {"open_id": "ou_x", "user_id": who}, {"union_id": who}])
def test_a_press_is_his_by_whichever_id_he_was_written_to(ids: dict[str, str]) -> None:
    asked = posted(document(carried(), **ids))
    assert callbacks.verify(asked, now)
    (stored,) = callbacks.read(asked)
    assert buttons.presses(key, stored.attempt_id, stored.form)
    answer = callbacks.answer(asked)
    assert answer is not None
    assert json.loads(answer.body)["toast"]["content"] == "已收到：出发"


def test_forged_unsigned_and_stale_presses_are_refused() -> None:
    told = document(carried())
    assert not callbacks.verify(posted(told, signed=False), now)
    assert not callbacks.verify(posted(told, sealed_with="other"), now)
    assert not callbacks.verify(posted(told | {"header": told["header"] | {"token": "other"}}), now)
    assert not callbacks.verify(posted(told), now + timedelta(minutes=61))
    assert not callbacks.verify(posted(told), now - timedelta(minutes=61))
    for at in ("", "soon", "-1", "9" * 400):
        assert not callbacks.verify(posted(told, at=at), now)
    for name in ("x-lark-signature", "x-lark-request-nonce", "x-lark-request-timestamp"):
        asked = posted(told)
        spoilt = {**asked.headers, name: asked.headers[name][:-1] + ("0" if asked.headers[name][-1] != "0" else "1")}
        assert not callbacks.verify(CallbackRequest("POST", "card", "/", {}, spoilt, asked.body), now), name
    get = posted(told)
    assert not callbacks.verify(CallbackRequest("GET", "card", "/", {}, get.headers, get.body), now)
    assert not FeishuCallbacks(FeishuSettings(app_id="cli", app_secret="s")).verify(posted(told), now)


def test_other_events_and_strange_documents_say_nothing() -> None:
    for told in (
        {"schema": "2.0", "header": {"token": token, "event_type": "im.message.receive_v1"}, "event": {}},
        document("not ours"),
        {"header": {"token": token, "event_type": "card.action.trigger"}, "event": "x"},
        {"header": {"token": token, "event_type": "card.action.trigger"}, "event": {"action": [1]}},
        {"token": token},
    ):
        asked = posted(told)
        assert callbacks.verify(asked, now)
        assert callbacks.read(asked) == []
        assert callbacks.answer(asked) == Spoken("application/json", "{}")


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b'{"encrypt": 7}', b'{"encrypt": "AAAA"}', b'{"encrypt": "\xe9\x94\xae"}', b"[" * 100_000],
)
def test_what_is_no_callback_is_refused(body: bytes) -> None:
    assert not callbacks.verify(CallbackRequest("POST", "card", "/", {}, {}, body), now)
    with pytest.raises(ValueError):
        callbacks.read(CallbackRequest("POST", "card", "/", {}, {}, body))
