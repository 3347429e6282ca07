"""What an account has registered: signatures, templates of texts and of speech. Fills templates as Alibaba does.

Knows nothing of what our own product would register: a test tells it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

approved = 1
variable_chars_max = 35
speech_variables_chars_max = 250
_variable = re.compile(r"\$\{(\w+)\}")
_link = re.compile(r"https?://|www\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Registered:
    """A signature or template. status: 0 under review, 1 approved, 2 refused, 10 taken back."""

    text: str
    status: int = approved


@dataclass(slots=True)
class Catalog:
    """By name or code. buttons: what a test changes on the way."""

    signs: dict[str, Registered] = field(default_factory=dict)
    texts: dict[str, Registered] = field(default_factory=dict)
    speech: dict[str, Registered] = field(default_factory=dict)
    numbers: set[str] = field(default_factory=set)
    """Caller numbers of one's own."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The words that a person gets."""

    text: str


def fill(template: Registered | None, variables: str | None, *, missing: str, speech: bool = False) -> Filled | str:
    """The text, or the error code. missing: the code for a template that is not there or not approved."""
    if template is None or template.status != approved:
        return missing
    values = _values(variables)
    if values is None:
        return "isv.INVALID_JSON_PARAM"
    names = set(_variable.findall(template.text))
    if not names <= set(values):
        return "isv.TEMPLATE_MISSING_PARAMETERS"
    used = {name: values[name] for name in names}
    if any(_link.search(value) for value in used.values()):
        return "isv.PARAM_NOT_SUPPORT_URL"
    long = sum(map(len, used.values())) > speech_variables_chars_max if speech else _too_long(used)
    if long:
        return "isv.PARAM_LENGTH_LIMIT"
    return Filled(_variable.sub(lambda found: used[found[1]], template.text))


def _too_long(used: Mapping[str, str]) -> bool:
    return any(not 1 <= len(value) <= variable_chars_max for value in used.values())


def _values(variables: str | None) -> dict[str, str] | None:
    """Strings only: a number is refused, as Alibaba says."""
    if not variables:
        return {}
    try:
        document: Any = json.loads(variables)
    except ValueError:
        return None
    if not isinstance(document, dict) or not all(isinstance(value, str) for value in document.values()):
        return None
    return document
