"""What a button on a card says when it is pressed: which attempt, which answer, sealed for the one person it went to.

A key that was made up, altered, or pressed by somebody else says nothing. Never sends.
"""

import base64
import hmac
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alerting.channels.base import KeyPress

log = logging.getLogger(__name__)

GOING = "1"
CANNOT = "2"
REPEAT = "3"
"""The same three answers as on a call; a card shows the first two, for it can be read again at will."""

_PURPOSE = b"gengfu card button\0"
_SEAL_BYTES = 12
_SHAPE = re.compile(r"([0-9A-Za-z_-]{1,32})\.([123])\.([A-Za-z-]{2,16})\.([0-9A-Za-z_-]{16})")


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button that was ours."""

    attempt_id: str
    digit: str
    language: str


def key(secret: str, attempt_id: str, person: str, digit: str, language: str) -> str:
    """What the button carries. `person`: the vendor's id of the recipient, in any case (WeCom does not mind it)."""
    return f"{attempt_id}.{digit}.{language}.{_seal(secret, attempt_id, person, digit, language)}"


def opened(secret: str, carried: str, person: str) -> Pressed | None:
    """What `person` answered with it; None when it is not ours or not his."""
    found = _SHAPE.fullmatch(carried)
    if found is None:
        return None
    attempt_id, digit, language, seal = found.groups()
    if not hmac.compare_digest(seal, _seal(secret, attempt_id, person, digit, language)):
        return None
    return Pressed(attempt_id, digit, language)


def presses(secret: str, attempt_id: str | None, form: Mapping[str, Any]) -> list[KeyPress]:
    """What a stored press (`key`, `user`) says: one key, if the button is ours and went to the one who pressed it."""
    carried, user = form.get("key"), form.get("user")
    if not isinstance(carried, str) or not isinstance(user, str):
        return []
    pressed = opened(secret, carried, user)
    if pressed is None or pressed.attempt_id != attempt_id:
        log.warning("a card's button was pressed by somebody else, or is not ours")
        return []
    return [KeyPress(pressed.attempt_id, pressed.digit)]


def unsealed(carried: str) -> Pressed | None:
    """What it says, whoever pressed it: for finding its row only, never for acting."""
    found = _SHAPE.fullmatch(carried)
    return None if found is None else Pressed(*found.groups()[:3])


def _seal(secret: str, *parts: str) -> str:
    text = "\0".join(parts).casefold().encode()
    digest = hmac.digest(secret.encode(), _PURPOSE + text, "sha256")
    return base64.urlsafe_b64encode(digest[:_SEAL_BYTES]).decode()
