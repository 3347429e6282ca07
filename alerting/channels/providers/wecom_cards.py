"""What WeCom shows: the page as a card with two buttons, everything else as a notice. Pure; never sends.

Source: WeCom developer centre, "发送应用消息", "更新模版卡片消息", "被动回复消息格式".
"""

from typing import Any

from alerting.channels import buttons
from alerting.channels.base import Submission
from alerting.channels.cards import AppText, rows, source_of, words_of
from alerting.channels.providers.wecom_settings import WecomSettings
from alerting.core.languages.surfaces import Cards

duplicate_check_s = 1_800
"""WeCom drops a second identical message within this time; each attempt's message differs from every other."""
_red, _black = 2, 1
_blue_button, _grey_button = 1, 4
_text_bytes_max = 2_000


def message(submission: Submission, text: AppText, user_id: str, settings: WecomSettings) -> dict[str, Any]:
    """The body of `message/send`. Who is asked gets buttons, or, where we hear no buttons, a way to the answer page."""
    words = words_of(submission.language)
    addressed = {
        "touser": user_id,
        "agentid": settings.agent_id,
        "enable_duplicate_check": 1,
        "duplicate_check_interval": duplicate_check_s,
    }
    if text.asks and settings.encoding_aes_key is not None:
        card = _page(submission, text, user_id, words, settings.encoding_aes_key)
    elif text.answer_url or text.map_url:
        card = _notice(submission, text, words)
    else:
        return addressed | {"msgtype": "text", "text": {"content": _plain(text)}}
    return addressed | {"msgtype": "template_card", "template_card": card}


def button_said(settings: WecomSettings, user_id: str, response_code: str, said: str) -> dict[str, Any]:
    """The body of `message/update_template_card`: the buttons go, one grey line stands in their place."""
    return {
        "userids": [user_id],
        "agentid": settings.agent_id,
        "response_code": response_code,
        "button": {"replace_name": said},
    }


def _page(submission: Submission, text: AppText, user_id: str, words: Cards, secret: str) -> dict[str, Any]:
    def button(name: str, digit: str, style: int) -> dict[str, Any]:
        carried = buttons.key(secret, submission.attempt_id, user_id, digit, submission.language)
        return {"text": name, "style": style, "key": carried}

    card = _common(submission, text, words, "button_interaction")
    card["button_list"] = [
        button(words.going, buttons.GOING, _blue_button),
        button(words.cannot, buttons.CANNOT, _grey_button),
    ]
    url = text.answer_url or text.map_url
    if url:
        card["card_action"] = {"type": 1, "url": url}
    return card


def _notice(submission: Submission, text: AppText, words: Cards) -> dict[str, Any]:
    card = _common(submission, text, words, "text_notice")
    if text.opens:
        card["jump_list"] = [{"type": 1, "title": words.answer, "url": text.answer_url}]
    card["card_action"] = {"type": 1, "url": text.answer_url or text.map_url}
    return card


def _common(submission: Submission, text: AppText, words: Cards, kind: str) -> dict[str, Any]:
    """Source, headline, text, place, time and reference; the map last."""
    listed: list[dict[str, Any]] = [{"keyname": name, "value": value} for name, value in rows(text, words)]
    if text.map_url:
        listed.append({"type": 1, "keyname": words.map, "value": words.see, "url": text.map_url})
    colour = _red if text.severity == 1 and text.asks else _black
    return {
        "card_type": kind,
        "source": {"desc": source_of(submission.language), "desc_color": colour},
        "main_title": {"title": text.title},
        "sub_title_text": text.body,
        "horizontal_content_list": listed,
        "task_id": submission.attempt_id,
    }


def _plain(text: AppText) -> str:
    """Longer than this WeCom cuts in the middle of a character."""
    whole = f"{text.title}\n{text.body}".encode()
    return whole[:_text_bytes_max].decode(errors="ignore")
