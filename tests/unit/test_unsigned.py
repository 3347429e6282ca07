"""Pushes that their vendor does not sign: a carrier that cuts a character in two loses nobody's answer."""

import json
from typing import Any

import pytest

from alerting.channels.base import CallbackRequest, Callbacks, Reply
from alerting.channels.providers import aliyun, aliyun_callbacks, tencent, tencent_callbacks
from tests.contract import tencent_support
from tests.support.aliyun import settings_for

_nowhere = "http://127.0.0.1:9"
_whole = {"phone_number": "13800000001", "mobile": "13800000001", "nationcode": "86", "content": "2", "text": "2"}
_cut = _whole | {"phone_number": "13800000002", "mobile": "13800000002", "content": "1\ud83d", "text": "1\ud83d"}


@pytest.mark.parametrize("escaped", [True, False])
@pytest.mark.parametrize(
    ("callbacks", "module"),
    [
        (aliyun.callbacks(settings_for(_nowhere)), aliyun_callbacks),
        (tencent.callbacks(tencent_support.settings_for(_nowhere)), tencent_callbacks),
    ],
    ids=["aliyun", "tencent"],
)
def test_half_a_character_loses_no_reply(callbacks: Callbacks, module: Any, escaped: bool) -> None:
    body = json.dumps([_whole, _cut], ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    rows = callbacks.read(CallbackRequest("POST", "up", "/callbacks/x/up", {}, {}, body))
    replies = [event for row in rows for event in module.parse("up", None, row.form)]
    assert [(each.address[-1], each.text[0]) for each in replies if isinstance(each, Reply)] == [("1", "2"), ("2", "1")]
