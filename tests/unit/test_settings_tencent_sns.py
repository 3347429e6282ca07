"""`[tencent]` and `[sns]`: what they become, what they refuse, and that no secret shows."""

from pathlib import Path

import pytest

from alerting.channels.base import Window
from alerting.channels.providers.tencent_settings import default_sms_windows, default_voice_windows
from devices.model import Language
from gengfu.settings import Settings, SettingsError, load_settings
from gengfu.vendors import accounts_of

TENCENT = """
[tencent]
secret_id = "AKIDexample"
secret_key = "hush-secret"
callback_key = "hush-hush-callback-key"
sms_app_id = "1400006666"
sms_sign_name = "阳光社区"
voice_app_id = "1400007777"
[tencent.sms_templates.zh-CN]
sms_page = "1234567"
[tencent.voice_templates.zh-CN]
voice_page = "7654321"
"""
SNS = {"GENGFU_SNS__ACCESS_KEY_ID": "AKIAEXAMPLE", "GENGFU_SNS__SECRET_ACCESS_KEY": "hush-access"}


def load(tmp_path: Path, text: str = "", environ: dict[str, str] | None = None) -> Settings:
    (tmp_path / "gengfu.toml").write_text(text, encoding="utf-8")
    return load_settings(environ or {}, tmp_path)


def test_tencent_becomes_what_its_providers_are_built_from(tmp_path: Path) -> None:
    options = load(tmp_path, TENCENT).tencent
    assert options is not None
    built = options.settings("https://example.org")
    assert (built.secret_id, built.secret_key, built.region) == ("AKIDexample", "hush-secret", "ap-guangzhou")
    assert built.sms_templates[Language.ZH_CN]["sms_page"] == "1234567"
    assert (built.sms_windows, built.voice_windows) == (default_sms_windows, default_voice_windows)
    assert not built.night_raised
    assert built.now().tzinfo is not None


def test_raised_windows_replace_the_defaults(tmp_path: Path) -> None:
    windows = "voice_windows = [{most = 10, seconds = 600}, {most = 50, seconds = 36000, hours = [22, 8]}]\n"
    text = TENCENT.replace("[tencent.sms_templates", windows + "[tencent.sms_templates")
    options = load(tmp_path, text).tencent
    assert options is not None
    built = options.settings("")
    assert built.voice_windows == (Window(10, 600.0), Window(50, 36_000.0, (22, 8)))
    assert built.night_raised


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('sms_sign_name = "阳光社区"', "", "sms_sign_name"),
        ('sms_app_id = "1400006666"', 'sms_app_id = "x"', "sms_app_id"),
        ('"hush-hush-callback-key"', '"short"', "callback_key"),
        ('sms_page = "1234567"', 'sms_page = "page"', "sms_templates"),
        ("[tencent.sms_templates.zh-CN]", "[tencent.sms_templates.xx]", "sms_templates"),
        ('sms_page = "1234567"', 'voice_page = "1234567"', "sms_page"),
        ('voice_page = "7654321"', 'voice_pages = "7654321"', "voice_told"),
        ('"阳光社区"', '"【阳光社区】"', "without 【】"),
        ('sms_sign_name = "阳光社区"', 'sms_sign_name = "阳光社区"\nsms_base_url = "ftp://x"', "sms_base_url"),
        ('sms_sign_name = "阳光社区"', 'sms_sign_name = "阳光社区"\nvoice_windows = [{most = 0, seconds = 1}]', "most"),
        (
            'sms_sign_name = "阳光社区"',
            'sms_sign_name = "阳光社区"\nvoice_windows = [{most = 1, seconds = 1, hours = [22, 25]}]',
            "hours",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in TENCENT
    with pytest.raises(SettingsError, match=told) as refused:
        load(tmp_path, TENCENT.replace(old, new))
    assert "hush" not in str(refused.value)


def test_neither_application_is_no_account(tmp_path: Path) -> None:
    head = TENCENT.partition("sms_app_id")[0]
    with pytest.raises(SettingsError, match="voice_app_id"):
        load(tmp_path, head)


def test_sns_becomes_what_its_provider_is_built_from(tmp_path: Path) -> None:
    options = load(tmp_path, "", SNS | {"GENGFU_SNS__SENDER_ID": "GENGFU", "GENGFU_SNS__REGION": "eu-west-1"}).sns
    assert options is not None
    built = options.settings("https://example.org")
    assert built.address == "https://sns.eu-west-1.amazonaws.com"
    assert (built.sender_id, built.per_second) == ("GENGFU", 20.0)


@pytest.mark.parametrize(("name", "value"), [("SENDER_ID", "x y"), ("REGION", "Singapore"), ("BASE_URL", "host")])
def test_what_sns_cannot_take_is_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load(tmp_path, "", SNS | {f"GENGFU_SNS__{name}": value})


def test_both_become_vendors_and_no_secret_shows(tmp_path: Path) -> None:
    settings = load(tmp_path, TENCENT, SNS | {"GENGFU_PUBLIC_URL": "https://example.org"})
    vendors = accounts_of(settings)
    assert {"tencent", "sns"} <= set(vendors)
    for shown in (repr(settings), settings.model_dump_json(), repr(vendors)):
        assert "hush" not in shown
    assert {"hush-secret", "hush-hush-callback-key", "hush-access"} <= set(settings.secrets())
