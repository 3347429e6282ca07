"""Messages as registered templates want them: fixed words that a carrier approved by hand, and variables. Pure.

Never decides what a message says (`wording` does) and never sends. Few on purpose: each one costs days of review.
Rules followed: no 【】 and no link in a text, words between any two variables, each variable once, in a voice text none
of # / : - % and at most two variables (Alibaba's shared voice numbers take no more); Tencent counts {1}, {2} in order.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from alerting.core.languages import PACKS
from devices.model import Channel, Language

variable_chars_max = 35
"""What Alibaba takes for a variable of free text in an SMS."""
spoken_chars_max = 80
"""Of a variable in a call: no vendor names a limit, only 350 characters for the whole text (Tencent)."""
title_chars_max = 20
hazard_chars_max = 24
time_chars_max = 5
code_chars_max = 12
digits_chars_max = 6


class Style(StrEnum):
    """How a vendor writes a variable in a template."""

    ALIYUN = "aliyun"
    """`${name}`"""
    TENCENT = "tencent"
    """`{1}`, counted from the left."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The same message as a registered template wants it: the template's name and its variables."""

    template: str
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Template:
    """One text that a carrier registers, in every language."""

    name: str
    channel: Channel
    limits: Mapping[str, int]
    """Of each variable, in characters; in the order in which they stand in every language's text, which is
    `Pack.templates[name]`. The vendor adds its 【signature】 itself."""


_FREE, _SAID, _TIME, _CODE = variable_chars_max, spoken_chars_max, time_chars_max, code_chars_max

TEMPLATES: Mapping[str, Template] = {
    each.name: each
    for each in (
        Template("sms_page", Channel.SMS, {"what": _FREE, "place": _FREE, "time": _TIME, "act": _FREE, "code": _CODE}),
        Template(
            "sms_told",
            Channel.SMS,
            {"what": _FREE, "hazard": hazard_chars_max, "place": _FREE, "time": _TIME, "code": _CODE},
        ),
        Template("sms_notice", Channel.SMS, {"title": title_chars_max, "place": _FREE, "text": _FREE, "time": _TIME}),
        Template("sms_code", Channel.SMS, {"code": digits_chars_max}),
        Template("voice_page", Channel.VOICE, {"what": _SAID, "place": _SAID}),
        Template("voice_told", Channel.VOICE, {"what": _SAID, "place": _SAID}),
        Template("voice_household", Channel.VOICE, {"place": _SAID, "what": _SAID}),
        Template("voice_check", Channel.VOICE, {}),
    )
}


def registered(name: str, language: Language, style: Style) -> str:
    """The text as it is registered with a vendor, letter by letter."""
    text = PACKS[language].templates[name]
    places = {each: f"${{{each}}}" for each in order(name)}
    if style is Style.TENCENT:
        places = {each: f"{{{number}}}" for number, each in enumerate(order(name), 1)}
    return text.format_map(places)


def order(name: str) -> tuple[str, ...]:
    """The variables from left to right, the same in every language: Tencent's are numbered."""
    return tuple(TEMPLATES[name].limits)


def text_hash(name: str, language: Language, style: Style) -> str:
    """Of the registered text: equal hashes mean that the vendor approved these very words."""
    return hash_of(registered(name, language, style))


def hash_of(text: str) -> str:
    """Of a text as a vendor's console or API gives it back: outer and repeated spaces do not count."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:16]


def filled(wording: Wording, language: Language) -> str:
    """What the person reads or hears: the fixed words with the values, without the vendor's signature."""
    return PACKS[language].templates[wording.template].format_map(wording.variables)


def check_variables(wording: Wording) -> tuple[str, ...]:
    """What a carrier would refuse, one line each; nothing where all is well."""
    template = TEMPLATES.get(wording.template)
    if template is None:
        return (f"no template {wording.template}",)
    found = []
    if set(wording.variables) != set(template.limits):
        found.append(f"{template.name} takes {', '.join(template.limits)}")
    for name, value in wording.variables.items():
        limit = template.limits.get(name, variable_chars_max)
        if not value.strip():
            found.append(f"{name} is empty")
        if len(value) > limit:
            found.append(f"{name} has {len(value)} characters, at most {limit}")
        if _REFUSED.search(value):
            found.append(f"{name} holds what a carrier refuses: a link, a mobile number or one of 【】{{}}<>")
    return tuple(found)


_REFUSED = re.compile(r"[【】{}<>]|https?:|www\.|(?<![0-9])(?:\+?86)?1[3-9][0-9]{9}(?![0-9])", re.IGNORECASE)


@cache
def variables_of(text: str) -> tuple[str, ...]:
    """The variables of a template's text, from left to right."""
    return tuple(re.findall(r"\{(\w+)\}", text))


def document(wording: Wording | None) -> dict[str, Any] | None:
    """As it is stored."""
    return None if wording is None else {"template": wording.template, "variables": dict(wording.variables)}


def of_document(stored: Mapping[str, Any] | None) -> Wording | None:
    """As it was stored."""
    return None if stored is None else Wording(stored["template"], stored["variables"])
