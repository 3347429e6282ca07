"""What a deployment can do with the accounts that it has, whichever vendor they are from."""

from pathlib import Path

import pytest

from devices.model import Channel
from gengfu.doctor_findings import callback_finding, providers_finding
from gengfu.settings import Settings, load_settings
from gengfu.vendors import accounts_of, carried, takes_replies

APP, SMS, VOICE = Channel.APP, Channel.SMS, Channel.VOICE
TWILIO = """
[twilio]
account_sid = "AC1"
auth_token = "token"
from_number = "+15005550006"
"""
SERVICE = "MG" + 32 * "0"
TENCENT_SMS = """
[tencent]
secret_id = "AKIDexample"
secret_key = "hush-secret"
callback_key = "hush-hush-callback-key"
sms_app_id = "1400006666"
sms_sign_name = "阳光社区"
[tencent.sms_templates.zh-CN]
sms_page = "1234567"
"""
TENCENT = (
    TENCENT_SMS.replace("[tencent]", '[tencent]\nvoice_app_id = "1400007777"')
    + '[tencent.voice_templates.zh-CN]\nvoice_page = "7654321"\n'
)
SNS = '[sns]\naccess_key_id = "AKIAEXAMPLE"\nsecret_access_key = "hush-access"\n'
OUTSIDE = 'public_url = "https://gengfu.example.org"\n'


def settings(tmp_path: Path, text: str) -> Settings:
    (tmp_path / "gengfu.toml").write_text(text, encoding="utf-8")
    return load_settings({}, tmp_path)


def replying(text: str) -> str:
    """The same account, whose replies come back to us."""
    return text.replace("]\n", "]\ntwo_way = true\n", 1)


@pytest.mark.parametrize(
    ("text", "channels"),
    [
        ("", {APP}),
        (TWILIO, {APP, SMS, VOICE}),
        (TWILIO.replace("+15005550006", SERVICE), {APP, SMS}),
        (SNS, {APP, SMS}),
        (TENCENT, {APP, SMS, VOICE}),
        (TENCENT_SMS, {APP, SMS}),
    ],
)
def test_any_vendor_can_carry_a_code_or_a_check_call(tmp_path: Path, text: str, channels: set[Channel]) -> None:
    assert carried(accounts_of(settings(tmp_path, text))) == channels


@pytest.mark.parametrize(
    ("text", "ok", "told"),
    [
        ("", False, "Nobody sends SMS or calls"),
        (SNS, False, "Nobody calls"),
        (TENCENT_SMS, False, "Nobody calls"),
        (SNS + TWILIO.replace("+15005550006", SERVICE), False, "A messaging service cannot call"),
        (TENCENT, True, "tencent for SMS and calls"),
        (SNS + TENCENT, True, "tencent, sns for SMS, tencent for calls"),
        (TWILIO, True, "twilio for SMS and calls"),
        (TWILIO + 'base_url = "http://127.0.0.1:9"\n', True, "through http://127.0.0.1:9"),
    ],
)
def test_the_doctor_asks_for_somebody_who_texts_and_somebody_who_calls(
    tmp_path: Path, text: str, ok: bool, told: str
) -> None:
    finding = providers_finding(settings(tmp_path, text))
    assert (finding.ok, told in finding.sentence) == (ok, True), finding.sentence


@pytest.mark.parametrize(
    ("text", "ok"),
    [(SNS, True), (TENCENT, False), (OUTSIDE + TENCENT, True), (OUTSIDE + TWILIO + TENCENT, True)],
)
def test_whoever_calls_back_needs_a_way_to_us(tmp_path: Path, text: str, ok: bool) -> None:
    assert callback_finding(settings(tmp_path, text)).ok is ok


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("", False),
        (TWILIO, False),
        (replying(TWILIO), True),
        (replying(TENCENT), True),
        (replying(TWILIO) + TENCENT, False),
        (replying(TWILIO) + replying(TENCENT), True),
        (replying(TWILIO) + SNS, False),
    ],
)
def test_no_text_asks_for_a_reply_that_one_of_its_vendors_could_not_bring(
    tmp_path: Path, text: str, asks: bool
) -> None:
    assert takes_replies(accounts_of(settings(tmp_path, text))) is asks
