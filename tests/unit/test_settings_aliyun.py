"""`[aliyun]`: what is refused, with the remedy; what the provider is built from; secrets that stay hidden."""

from typing import Any

import pytest
from pydantic import ValidationError

from alerting.channels.base import Window
from alerting.channels.providers.aliyun import build
from alerting.channels.providers.aliyun_settings import VoiceKeys, default_voice_windows
from devices.model import Language
from gengfu.settings_aliyun import AliyunOptions

least: dict[str, Any] = {
    "access_key_id": "id",
    "access_key_secret": "secret-of-a-test",
    "callback_key": "callback-key-of-a-test",
    "sign_name": "阳光社区",
    "sms_templates": {"zh-CN": {"sms_page": "SMS_1"}},
}


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"sms_templates": {}}, "register our texts first"),
        ({"sign_name": None}, "without 【】"),
        ({"sign_name": "【阳光社区】"}, "without 【】"),
        ({"sms_templates": {"zh-CN": {"sms_paeg": "SMS_1"}}}, "there are: sms_code"),
        ({"sms_templates": {"zh-CN": {"voice_page": "SMS_1"}}}, "has no template voice_page"),
        ({"sms_templates": {"zh-CN": {"sms_page": "TTS_1"}}}, "such as SMS_1234567"),
        ({"voice_templates": {"zh-CN": {"voice_page": "SMS_1"}}}, "such as TTS_1234567"),
        ({"voice_keys": "ivr"}, "needs show_number"),
        ({"key_code": {"zh-CN": "1"}}, "TTS_1234567"),
        ({"callback_key": "short"}, "at least 16"),
        ({"sms_base_url": "ftp://x"}, "no web address"),
        ({"sms_template": {}}, "not permitted"),
    ],
)
def test_what_cannot_work_is_refused_with_the_remedy(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError) as caught:
        AliyunOptions(**(least | changes))
    assert word in str(caught.value)
    assert "secret-of-a-test" not in str(caught.value)


def test_a_caller_number_brings_the_keys() -> None:
    settings = AliyunOptions(**least).settings("https://gengfu.example.org")
    assert settings.voice_keys is VoiceKeys.NONE
    assert settings.sms_templates == {Language.ZH_CN: {"sms_page": "SMS_1"}}
    assert settings.voice_windows == default_voice_windows
    own = AliyunOptions(**(least | {"show_number": "05715678"})).settings("")
    assert own.voice_keys is VoiceKeys.IVR
    assert not own.reports_ringing


def test_what_somebody_has_seen_of_the_ringing_is_believed() -> None:
    calls = {"voice_templates": {"zh-CN": {"voice_page": "TTS_1"}}, "reports_ringing": True}
    (voice,) = (
        each for each in build(AliyunOptions(**(least | calls)).settings("")).values() if each.caps.ring_s == 60
    )
    assert voice.caps.reports_ringing


def test_windows_are_what_the_contract_says() -> None:
    raised = least | {"voice_windows": [{"most": 50, "seconds": 86_400}, {"most": 9, "seconds": 600, "hours": [22, 8]}]}
    settings = AliyunOptions(**raised).settings("")
    assert settings.voice_windows == (Window(50, 86_400.0), Window(9, 600.0, (22, 8)))


def test_secrets_stay_hidden() -> None:
    options = AliyunOptions(**least)
    shown = repr(options) + repr(options.settings("")) + str(options.settings("").credentials)
    assert "secret-of-a-test" not in shown
    assert "callback-key-of-a-test" not in shown
