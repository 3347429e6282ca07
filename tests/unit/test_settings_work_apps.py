"""`[wecom]`, `[dingtalk]` and `[feishu]`: what is built from them, and one sentence for whatever is wrong."""

from pathlib import Path

import pytest

from alerting.channels.providers.dingtalk_settings import DingtalkSettings
from alerting.channels.providers.feishu_settings import FeishuSettings
from alerting.channels.providers.wecom_settings import WecomSettings
from gengfu.settings import SettingsError, load_settings
from gengfu.vendors import accounts_of

WECOM = {
    "GENGFU_WECOM__CORP_ID": "ww1",
    "GENGFU_WECOM__AGENT_ID": "1000002",
    "GENGFU_WECOM__SECRET": "hush-wecom",
}
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


def refusal(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ, Path("/nonexistent"))
    assert "hush" not in str(caught.value)
    return str(caught.value)


def test_accounts_are_built_from_their_tables() -> None:
    environ = WECOM | {
        "GENGFU_WECOM__TOKEN": "hush-token",
        "GENGFU_WECOM__ENCODING_AES_KEY": KEY,
        "GENGFU_WECOM__BASE_URL": "http://127.0.0.1:9/",
        "GENGFU_DINGTALK__APP_KEY": "ding1",
        "GENGFU_DINGTALK__APP_SECRET": "hush-ding",
        "GENGFU_FEISHU__APP_ID": "cli_1",
        "GENGFU_FEISHU__APP_SECRET": "hush-feishu",
        "GENGFU_FEISHU__URGENT": "false",
    }
    settings = load_settings(environ, Path("/nonexistent"))
    assert accounts_of(settings) == {
        "wecom": WecomSettings("ww1", 1_000_002, "hush-wecom", "hush-token", KEY, "http://127.0.0.1:9"),
        "dingtalk": DingtalkSettings("ding1", "hush-ding"),
        "feishu": FeishuSettings("cli_1", "hush-feishu", urgent=False),
    }
    assert {"hush-wecom", "hush-token", KEY, "hush-ding", "hush-feishu"} <= set(settings.secrets())
    assert "hush" not in repr(settings)


def test_wrong_ones_name_the_key_and_the_remedy() -> None:
    assert "together" in refusal(WECOM | {"GENGFU_WECOM__TOKEN": "hush-token"})
    wrong = refusal(WECOM | {"GENGFU_WECOM__TOKEN": "hush", "GENGFU_WECOM__ENCODING_AES_KEY": "hush-short"})
    assert "GENGFU_WECOM__ENCODING_AES_KEY" in wrong
    assert "43 letters and digits" in wrong
    assert "GENGFU_WECOM__AGENT_ID" in refusal(WECOM | {"GENGFU_WECOM__AGENT_ID": "app"})
    assert "no web address" in refusal(WECOM | {"GENGFU_WECOM__BASE_URL": "qyapi"})
    assert "GENGFU_DINGTALK__APP_SECRET" in refusal({"GENGFU_DINGTALK__APP_KEY": "ding1"})
    assert "GENGFU_FEISHU__APP_ID" in refusal({"GENGFU_FEISHU__APP_SECRET": "hush"})
