"""What readiness reads from the settings: the numbers on the card, the white lists, the hour of the self-test."""

from pathlib import Path

import pytest

from alerting.channels.providers.twilio_settings import TwilioSettings
from gengfu.readiness_setup import card_of, configured_of
from gengfu.settings import Settings, load_settings
from gengfu.settings_faults import SettingsError


def settings(**environ: str) -> Settings:
    return load_settings(environ, Path("/nonexistent"))


def twilio(sender: str) -> dict[str, object]:
    return {"twilio": TwilioSettings("AC1", "token", sender, "https://gengfu.example.org")}


def test_every_number_that_settings_know_is_on_the_card_once() -> None:
    chosen = settings(GENGFU_CALLER_NUMBERS="+861012345678,10690000123,+15005550006", GENGFU_CALLER_NAME="阳光社区值班")
    card = card_of(twilio("+15005550006"), chosen.caller_name, chosen.caller_numbers)
    assert card.numbers == ("+15005550006", "+861012345678", "10690000123")
    assert card.name == "阳光社区值班"
    assert card_of(twilio("MG123"), "", ()).numbers == (), "a messaging service is no number"


def test_a_word_is_no_number() -> None:
    with pytest.raises(SettingsError, match="GENGFU_CALLER_NUMBERS"):
        settings(GENGFU_CALLER_NUMBERS="+8610,front desk")


def test_only_vendors_with_limits_per_number_have_white_lists() -> None:
    vendors = {
        **twilio("+15005550006"),
        "aliyun": object(),
        "tencent": object(),
        "wecom": object(),
        "webpush": object(),
    }
    found = configured_of(vendors, self_tests=True, numbers=("1",))
    assert (found.white_lists, found.work_apps, found.push, found.card) == (
        ("aliyun", "tencent"),
        ("wecom",),
        True,
        True,
    )
    bare = configured_of(twilio("MG1"), self_tests=False, numbers=())
    assert (bare.white_lists, bare.work_apps, bare.push, bare.card) == ((), (), False, False)


@pytest.mark.parametrize(("hour", "taken"), [("7", True), ("20", True), ("6", False), ("21", False)])
def test_the_self_test_comes_by_day_only(hour: str, taken: bool) -> None:
    if taken:
        assert settings(GENGFU_SELF_TEST__HOUR=hour).self_test.at == int(hour)
    else:
        with pytest.raises(SettingsError, match="GENGFU_SELF_TEST__HOUR"):
            settings(GENGFU_SELF_TEST__HOUR=hour)


def test_it_comes_at_nine_unless_switched_off() -> None:
    assert settings().self_test.at == 9
    assert settings(GENGFU_SELF_TEST__DAILY="false").self_test.at is None
