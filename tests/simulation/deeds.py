"""What people of the simulation do, and how often: one line for each verb. Never decides what it leads to."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from alerting.core.acts import Verb

Detail = Callable[[random.Random, Sequence[str]], dict[str, Any]]
"""(dice, everybody's ids) -> what is told with the act."""
TARGETS = ("grid-1", "grid-2", "community", "street", "nowhere")


class By(StrEnum):
    """Who does it."""

    CONSOLE = "console"
    WORKER = "worker"


def _nothing(dice: random.Random, crew: Sequence[str]) -> dict[str, Any]:
    return {}


def _text(dice: random.Random, crew: Sequence[str]) -> dict[str, Any]:
    return {"text": "看过了"}


def _result(dice: random.Random, crew: Sequence[str]) -> dict[str, Any]:
    result = dice.choice(("real", "false_alarm", "device_fault", "test"))
    return {"result": result, "cause": "cooking", "how": dice.choice(("on_site", "phone", "video"))}


def _worker(dice: random.Random, crew: Sequence[str]) -> dict[str, Any]:
    return {"worker": dice.choice((*crew, "nobody"))}


def _recipient(dice: random.Random, crew: Sequence[str]) -> dict[str, Any]:
    return dice.choice(({}, {"recipient": dice.choice(crew)}))


def _target(dice: random.Random, crew: Sequence[str]) -> dict[str, Any]:
    return {"to": dice.choice(TARGETS), "reason": "不在本网格"}


def _rest(dice: random.Random, crew: Sequence[str]) -> dict[str, Any]:
    return {"reason": dice.choice(("等物业", "等物业", "")), "minutes": dice.choice((1, 5, 15, 100_000))}


def _reason(dice: random.Random, crew: Sequence[str]) -> dict[str, Any]:
    return {"reason": dice.choice(("又冒烟了", "又冒烟了", ""))}


def _judged(dice: random.Random, crew: Sequence[str]) -> dict[str, Any]:
    return {"satisfied": dice.random() < 0.7, "text": "及时"}


@dataclass(frozen=True, slots=True)
class Deed:
    verb: Verb
    by: By
    weight: int
    detail: Detail = _nothing


ANSWERS: tuple[tuple[Deed | None, int], ...] = (
    (None, 60),
    (Deed(Verb.ACCEPT, By.WORKER, 0), 22),
    (Deed(Verb.DECLINE, By.WORKER, 0), 13),
    (Deed(Verb.ARRIVE, By.WORKER, 0), 5),
)
"""What somebody does whom a page has reached, mostly nothing."""

AFTER_GOING: tuple[tuple[Deed, float, float, float], ...] = (
    (Deed(Verb.ARRIVE, By.WORKER, 0), 0.6, 30, 700),
    (Deed(Verb.DECLINE, By.WORKER, 0), 0.12, 20, 600),
    (Deed(Verb.VERIFY, By.WORKER, 0, _result), 0.6, 60, 1000),
    (Deed(Verb.CLOSE, By.WORKER, 0, _result), 0.5, 90, 1300),
)
"""(deed, chance, from, to seconds) of who said that he goes, each by itself."""

CALL_AGAIN = Deed(Verb.CALL_AGAIN, By.CONSOLE, 4)
"""Where nobody could be asked, the control room tries again now and then."""

AT_RANDOM: tuple[Deed, ...] = (
    Deed(Verb.ACKNOWLEDGE, By.CONSOLE, 6),
    Deed(Verb.NOTE, By.CONSOLE, 2, _text),
    Deed(Verb.PHOTO, By.WORKER, 1),
    Deed(Verb.SILENCE, By.CONSOLE, 2),
    Deed(Verb.DISPATCH, By.CONSOLE, 4, _worker),
    Deed(Verb.TRANSFER, By.CONSOLE, 4, _target),
    Deed(Verb.ESCALATE, By.CONSOLE, 4),
    Deed(Verb.CALL_AGAIN, By.CONSOLE, 4, _recipient),
    Deed(Verb.SHELVE, By.CONSOLE, 5, _rest),
    Deed(Verb.UNSHELVE, By.CONSOLE, 4),
    Deed(Verb.VERIFY, By.CONSOLE, 4, _result),
    Deed(Verb.CLOSE, By.CONSOLE, 4, _result),
    Deed(Verb.EVALUATE, By.CONSOLE, 3, _judged),
    Deed(Verb.REOPEN, By.CONSOLE, 3, _reason),
    Deed(Verb.ACCEPT, By.CONSOLE, 1),
    Deed(Verb.ACCEPT, By.WORKER, 3),
    Deed(Verb.DECLINE, By.WORKER, 3),
    Deed(Verb.ARRIVE, By.WORKER, 2),
    Deed(Verb.VERIFY, By.WORKER, 2, _result),
    Deed(Verb.CLOSE, By.WORKER, 2, _result),
)
"""What anybody does with any incident, possible or not. A new verb is one line here."""

FOLLOWING: dict[Verb, tuple[Deed, ...]] = {
    Verb.SHELVE: (Deed(Verb.UNSHELVE, By.CONSOLE, 0), Deed(Verb.TRANSFER, By.CONSOLE, 0, _target)),
    Verb.VERIFY: (Deed(Verb.CLOSE, By.CONSOLE, 0, _result),),
    Verb.CLOSE: (Deed(Verb.EVALUATE, By.CONSOLE, 0, _judged), Deed(Verb.REOPEN, By.CONSOLE, 0, _reason)),
    Verb.EVALUATE: (Deed(Verb.REOPEN, By.CONSOLE, 0, _reason), Deed(Verb.NOTE, By.CONSOLE, 0, _text)),
}
"""What the control room may do a while after it did that."""
