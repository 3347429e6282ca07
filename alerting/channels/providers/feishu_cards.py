"""What Feishu shows: one card of its second schema, with buttons for whoever is asked. Pure; never sends.

Source: Feishu open platform, "卡片 JSON 2.0 结构", "卡片回传交互".
"""

from typing import Any

from alerting.channels import buttons
from alerting.channels.base import Submission
from alerting.channels.cards import AppText, rows, words_of
from alerting.channels.providers.feishu_settings import FeishuSettings
from alerting.core.languages.surfaces import Cards

_asking, _telling = "red", "grey"


def card(submission: Submission, text: AppText, person: str, settings: FeishuSettings) -> dict[str, Any]:
    """Everything is plain text: a place's name shall not turn into markup."""
    words = words_of(submission.language)
    listed = "\n".join(f"{name}：{value}" for name, value in rows(text, words))
    elements = [_text(text.body)] + ([_text(listed)] if listed else [])
    elements += _buttons(submission, text, person, words, settings)
    return {
        "schema": "2.0",
        "config": {"update_multi": True, "enable_forward": False, "summary": {"content": text.title}},
        "header": {"title": _plain(text.title), "template": _asking if text.asks else _telling},
        "body": {"elements": elements},
    }


def _buttons(
    submission: Submission, text: AppText, person: str, words: Cards, settings: FeishuSettings
) -> list[dict[str, Any]]:
    """Going and not going where we hear them, else a way to the answer page; the map for everybody."""
    made = []
    if text.asks and settings.encrypt_key is not None:
        for label, digit, look in ((words.going, buttons.GOING, "primary"), (words.cannot, buttons.CANNOT, "default")):
            key = buttons.key(settings.encrypt_key, submission.attempt_id, person, digit, submission.language)
            made.append(_button(label, look, {"type": "callback", "value": {"key": key}}))
    elif text.opens:
        made.append(_button(words.answer, "primary", {"type": "open_url", "default_url": text.answer_url}))
    if text.map_url:
        made.append(_button(words.map, "default", {"type": "open_url", "default_url": text.map_url}))
    return made


def _button(label: str, look: str, does: dict[str, Any]) -> dict[str, Any]:
    return {"tag": "button", "text": _plain(label), "type": look, "width": "fill", "behaviors": [does]}


def _text(content: str) -> dict[str, Any]:
    return {"tag": "div", "text": _plain(content)}


def _plain(content: str) -> dict[str, str]:
    return {"tag": "plain_text", "content": content}
