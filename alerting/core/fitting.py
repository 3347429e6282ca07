"""Pieces of a text put together and made to fit one part of an SMS. Never knows what they say."""

from collections.abc import Mapping, Sequence
from functools import cache
from string import Formatter

from alerting.core.languages import PACKS
from alerting.core.languages.base import Pack, Piece
from alerting.core.parts import keep_end, single_units_max, units_of
from devices.model import Language

_MAY_BE_EMPTY = frozenset({"mark"})


def fitted(pieces: Sequence[Piece], slots: Mapping[str, str], language: Language, unplaced: bool) -> str:
    """Leave out optional pieces, lowest rank first, then shorten the place from its large end, until it is one part."""
    pack = PACKS[language]
    alphabet = pack.script.alphabet
    printed = filled(pieces, slots)
    over = sum(units_of(text, alphabet) for text, _ in printed) - single_units_max(alphabet)
    for rank in sorted({drop for _, drop in printed if drop}):
        if over <= 0:
            break
        over -= sum(units_of(text, alphabet) for text, drop in printed if drop == rank)
        printed = [(text, drop) for text, drop in printed if drop != rank]
    if over > 0:
        place = slots["place"]
        shorter = shortened(place, units_of(place, alphabet) - over, pack, unplaced)
        printed = filled([piece for piece in pieces if not piece.drop], {**slots, "place": shorter})
    return "".join(text for text, _ in printed)


def filled(pieces: Sequence[Piece], slots: Mapping[str, str]) -> list[tuple[str, int]]:
    return [
        (piece.template.format_map(slots), piece.drop)
        for piece in pieces
        if all(slots[name] for name in _needed(piece.template))
    ]


@cache
def _needed(template: str) -> tuple[str, ...]:
    return tuple(name for _, name, _, _ in Formatter().parse(template) if name and name not in _MAY_BE_EMPTY)


def shortened(place: str, room: int, pack: Pack, unplaced: bool) -> str:
    """At most `room` units of a place: its end is kept, for that is where the room is; the compound's front goes.

    Words that say "unregistered" are kept as well, and the device's id loses its middle.
    """
    alphabet, ellipsis, between = pack.script.alphabet, pack.words.ellipsis, pack.script.words_end
    front = pack.words.unplaced[0] if unplaced else ""
    if unplaced and room <= len(front) + len(ellipsis):
        return pack.words.unplaced_silent
    tail = keep_end(place, max(0, room - len(front) - len(ellipsis)), alphabet)
    cut = len(place) - len(tail)
    if between and not unplaced and between in tail and place[cut - 1 : cut] != between:
        tail = tail.partition(between)[2]
    return f"{front}{ellipsis}{tail.lstrip()}"
