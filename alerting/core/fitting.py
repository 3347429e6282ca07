"""Pieces of a text put together and made to fit one part of an SMS. Never knows what they say."""

from collections.abc import Sequence
from functools import cache
from string import Formatter
from typing import TypeVar

from alerting.core.parts import (
    Alphabet,
    gsm7_single_units_max,
    gsm7_units,
    keep_end,
    ucs2_single_units_max,
    ucs2_units,
)
from alerting.core.places import UNPLACED_EN, UNPLACED_ZH
from alerting.core.words import CATALOGUE, Piece
from devices.model import Language

T = TypeVar("T")

_MAY_BE_EMPTY = frozenset({"mark"})


def fitted(pieces: Sequence[Piece], slots: dict[str, str], language: Language, unplaced: bool) -> str:
    """Leave out optional pieces, lowest rank first, then shorten the place from its large end, until it is one part."""
    units, limit = by_language(language, (ucs2_units, ucs2_single_units_max), (gsm7_units, gsm7_single_units_max))
    printed = filled(pieces, slots)
    over = sum(units(text) for text, _ in printed) - limit
    for rank in sorted({drop for _, drop in printed if drop}):
        if over <= 0:
            break
        over -= sum(units(text) for text, drop in printed if drop == rank)
        printed = [(text, drop) for text, drop in printed if drop != rank]
    if over > 0:
        place = slots["place"]
        shorter = _shortened(place, units(place) - over, language, unplaced)
        printed = filled([piece for piece in pieces if not piece.drop], slots | {"place": shorter})
    return "".join(text for text, _ in printed)


def filled(pieces: Sequence[Piece], slots: dict[str, str]) -> list[tuple[str, int]]:
    return [
        (piece.template.format_map(slots), piece.drop)
        for piece in pieces
        if all(slots[name] for name in _needed(piece.template))
    ]


@cache
def _needed(template: str) -> tuple[str, ...]:
    return tuple(name for _, name, _, _ in Formatter().parse(template) if name and name not in _MAY_BE_EMPTY)


def _shortened(place: str, room: int, language: Language, unplaced: bool) -> str:
    """At most `room` units of a place: its end is kept, for that is where the room is; the compound's front goes.

    Words that say "unregistered" are kept as well, and the device's id loses its middle.
    """
    alphabet = by_language(language, Alphabet.UCS2, Alphabet.GSM7)
    ellipsis = CATALOGUE[language].ellipsis
    front = by_language(language, UNPLACED_ZH, UNPLACED_EN) if unplaced else ""
    tail = keep_end(place, max(0, room - len(front) - len(ellipsis)), alphabet)
    cut = len(place) - len(tail)
    if alphabet is Alphabet.GSM7 and not unplaced and " " in tail and place[cut - 1 : cut] != " ":
        tail = tail.partition(" ")[2]
    return f"{front}{ellipsis}{tail.lstrip()}"


def by_language(language: Language, zh: T, en: T) -> T:
    return zh if language is Language.ZH_CN else en
