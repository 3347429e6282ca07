"""The daily message in each work app: it asks nobody to go, and there is something on it to tap."""

import json
from typing import Any

import msgspec
import pytest

from alerting.channels import cards
from alerting.channels.base import Submission
from alerting.channels.providers import dingtalk_app, feishu_cards, wecom_cards
from alerting.channels.providers.feishu_settings import FeishuSettings
from alerting.core.probe_words import self_test_words
from devices.model import Channel, Language
from gengfu.clock import SystemClock
from tests.support import wecom as made_up

LINK = "https://gengfu.example.org/a/0123456789abcABCDEFGHIJKLMNOP"


def submission(language: Language, link: str = LINK) -> Submission:
    title, body = self_test_words(language)
    message = {"title": title, "body": body, "purpose": "test", "actions": [], "severity": 5, "answer_url": link}
    return Submission(
        attempt_id="0123456789abc",
        notification_id="0123456789abc",
        incident_id="",
        recipient_id="worker",
        channel=Channel.APP,
        address="worker",
        language=language,
        text=msgspec.json.encode(message).decode(),
        urgency=5,
        planned_at=SystemClock().now(),
        target={"user_id": "user"},
    )


def shown(vendor: str, asked: Submission) -> Any:
    """What goes to the vendor."""
    text = cards.read(asked)
    assert text is not None
    match vendor:
        case "wecom":
            return wecom_cards.message(asked, text, "user", made_up.settings_for("http://127.0.0.1:1"))
        case "feishu":
            settings = FeishuSettings(app_id="cli_1", app_secret="secret", encrypt_key="key")
            return feishu_cards.card(asked, text, "user", settings)
        case _:
            return dingtalk_app.message(text, cards.words_of(asked.language))


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("vendor", ["wecom", "feishu", "dingtalk"])
def test_it_opens_its_link_and_has_no_button_that_goes(vendor: str, language: Language) -> None:
    words = cards.words_of(language)
    told = json.dumps(shown(vendor, submission(language)), ensure_ascii=False)
    assert LINK in told
    assert words.answer in told
    assert words.going not in told
    assert words.cannot not in told
    assert self_test_words(language)[1] in told
