"""A child process: two carriers on loopback, the first one in trouble, and the phones that both of them ring.

What it tells comes from their own books; never looks at the service.
"""

import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from datetime import datetime
from itertools import pairwise
from typing import Any

from benchmarks.child import Answer, Handler, serve
from benchmarks.failover_cases import ALIYUN
from benchmarks.numbering import phone, phone_number
from gengfu.clock import SystemClock
from simulators.aliyun import AliyunEmulator
from simulators.emulating import LedgerRow, Outcome
from simulators.phone import Behaviour, PhoneEvent, PhoneEventKind
from simulators.twilio import TwilioEmulator
from tests.support import aliyun

account_sid, auth_token = "AC" + "2" * 32, "token-of-the-failover-benchmark"
GOES = Behaviour(answers_after_s=15.0, keys="1")
"""Rings long enough to ring twice at once; then its owner goes, and nobody dials again."""
list_lag_s = 1.0
FIRST, SECOND = "first", "second"
_clock = SystemClock()
Span = tuple[datetime, datetime]


class _Carriers:
    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._houses: dict[str, TwilioEmulator | AliyunEmulator] = {}
        self._events: list[PhoneEvent] = []

    async def open(self, question: Answer) -> Answer:
        """Two fresh ones; `first` says whose trouble it is. Their addresses."""
        self._events.clear()
        first = self._aliyun(question["public_url"]) if question["first"] == ALIYUN else self._twilio()
        self._houses = {FIRST: first, SECOND: self._twilio()}
        for house in self._houses.values():
            await self._stack.enter_async_context(house)
        return {name: house.base_url for name, house in self._houses.items()}

    async def faults(self, question: Answer) -> Answer:
        """Arm the first one: `faults` by phone (None: everybody's)."""
        for number, fault in question["faults"]:
            self._houses[FIRST].faults.set(number=None if number is None else phone(number), **fault)
        return {}

    async def books(self, question: Answer) -> Answer:
        """By channel: [phone, stamp, carrier] of everything taken, the phones that met a fault; [phone, seconds] of
        every phone that had two calls at once."""
        rows = [(name, row) for name, house in self._houses.items() for row in house.ledger.rows if row.to]
        taken: dict[str, list[Any]] = {"sms": [], "voice": []}
        met: dict[str, set[int]] = {"sms": set(), "voice": set()}
        for name, row in rows:
            if row.outcome is Outcome.PROVIDER_ACCEPTED:
                taken[row.kind.value].append((_number(row), row.monotonic, name))
            if row.faults:
                met[row.kind.value].add(_number(row))
        twice = overlaps(self._events, _clock.now())
        rang = {event.number for event in self._events if event.kind is PhoneEventKind.RINGING}
        return {
            "taken": taken,
            "met": {channel: sorted(numbers) for channel, numbers in met.items()},
            "rang": len(rang),
            "twice": [(phone_number(number), seconds) for number, seconds in twice.items()],
            "until": time.monotonic(),
        }

    async def close(self, question: Answer) -> Answer:
        await self._stack.aclose()
        return {}

    def _twilio(self) -> TwilioEmulator:
        return TwilioEmulator(
            account_sid=account_sid,
            auth_token=auth_token,
            clock=_clock.now,
            list_lag_s=list_lag_s,
            default_behaviour=GOES,
            speech_seconds_per_char=0.05,
            on_event=self._events.append,
        )

    def _aliyun(self, public_url: str) -> AliyunEmulator:
        kinds = ("sms", "voice", "up")
        emulator = AliyunEmulator(
            access_key_id=aliyun.key_id,
            access_key_secret=aliyun.key_secret,
            clock=_clock.now,
            push={kind: f"{public_url}/callbacks/aliyun/{kind}?key={aliyun.callback_key}" for kind in kinds},
            default_behaviour=GOES,
            speech_seconds_per_char=0.05,
            on_event=self._events.append,
        )
        aliyun.register(emulator)
        return emulator


def overlaps(events: Iterable[PhoneEvent], now: datetime) -> dict[str, float]:
    """Phones that had two calls at once: for how long at most. A call that has not ended lasts until `now`."""
    began: dict[tuple[str, str], datetime] = {}
    spans: dict[str, list[Span]] = {}
    for event in events:
        if event.kind is PhoneEventKind.RINGING:
            began[event.number, event.sid] = event.at
        elif event.kind is PhoneEventKind.CALL_ENDED and (at := began.pop((event.number, event.sid), None)) is not None:
            spans.setdefault(event.number, []).append((at, event.at))
    for (number, _), at in began.items():
        spans.setdefault(number, []).append((at, now))
    longest = {number: _longest(sorted(found)) for number, found in spans.items()}
    return {number: seconds for number, seconds in longest.items() if seconds > 0}


def _longest(spans: list[Span]) -> float:
    """Spans in order of their beginning: each against the latest end before it."""
    most, latest = 0.0, spans[0][1]
    for _, (begins, ends) in pairwise(spans):
        most = max(most, (min(latest, ends) - begins).total_seconds())
        latest = max(latest, ends)
    return most


def _number(row: LedgerRow) -> int:
    assert row.to is not None
    return phone_number(row.to)


def _handlers() -> dict[str, Handler]:
    carriers = _Carriers()
    return {
        "open": carriers.open,
        "faults": carriers.faults,
        "books": carriers.books,
        "close": carriers.close,
    }


if __name__ == "__main__":
    serve(_handlers)
