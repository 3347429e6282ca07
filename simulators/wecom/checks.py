"""What WeCom refuses in a message, as far as its pages say so. Never takes one."""

import re
from typing import Any

parameter_wrong = 40058
kind_unknown = 40008
text_too_long = 45002
text_bytes_max = 2_048
_TASK = re.compile(r"[0-9A-Za-z_\-@]{1,128}")
_buttons_max, _rows_max = 6, 6
_key_bytes_max = 1_024


def fault_of(body: dict[str, Any]) -> int:
    """The errcode; 0 when nothing is wrong."""
    match body.get("msgtype"):
        case "text":
            content = body.get("text", {}).get("content")
            if not isinstance(content, str) or not content:
                return 44004
            return text_too_long if len(content.encode()) > text_bytes_max else 0
        case "template_card":
            card = body.get("template_card")
            return _card(card) if isinstance(card, dict) else parameter_wrong
    return kind_unknown


def _card(card: dict[str, Any]) -> int:
    listed = card.get("horizontal_content_list", [])
    fine = bool(card.get("main_title", {}).get("title") or card.get("sub_title_text")) and len(listed) <= _rows_max
    fine = fine and all(row.get("keyname") and (row.get("type") != 1 or row.get("url")) for row in listed)
    match card.get("card_type"):
        case "text_notice":
            fine = fine and bool(card.get("card_action", {}).get("url"))
        case "button_interaction":
            listed = card.get("button_list", [])
            fine = fine and 1 <= len(listed) <= _buttons_max and _TASK.fullmatch(card.get("task_id", "")) is not None
            fine = fine and all(_button(button) for button in listed)
        case _:
            fine = False
    return 0 if fine else parameter_wrong


def _button(button: dict[str, Any]) -> bool:
    key = button.get("key", "")
    return bool(button.get("text")) and 0 < len(key.encode()) <= _key_bytes_max and button.get("style") in (1, 2, 3, 4)
