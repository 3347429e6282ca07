"""The judge: reads what generator, provider and diary wrote to disk, and nothing else. Knows nothing of the service."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from simulators.emulating.ledger import LedgerRow, Outcome
from simulators.ledger import read_ledger

load_seconds_min = 0.3
"""No request is made so soon after a start; one that comes then was in the socket when the life before was ended."""
CHANNELS = ("sms", "voice")
"""A fire must have been submitted on both."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the ledgers say of one stage. A page is one event on one channel."""

    events: int
    """Events that the broker has acknowledged to the generator."""
    kills: int
    lost: tuple[str, ...]
    """`device/channel` of acknowledged events that the provider never took."""
    repeats: dict[int, int]
    """How often a page was taken more than once: repeats -> pages. 0 -> pages that came exactly once."""
    unexplained: tuple[str, ...]
    """Pages that came again with no kill in between."""
    strays: tuple[str, ...]
    """Requests to numbers that belong to no event."""
    first_post_s: tuple[float, ...]
    """From each start of the process to its first request, where it made one."""
    dispatch_s: tuple[float, ...]
    """The same from the moment the process was connected to the broker; 0 where the request came before."""
    caught_up_s: float
    """From that moment of the last life until every page had been taken once."""

    def __str__(self) -> str:
        again = ", ".join(f"{times} x{pages}" for times, pages in sorted(self.repeats.items()))
        return (
            f"{self.kills} kills, {self.events} events, {len(self.lost)} pages lost, repeats {{{again}}}, "
            f"first request {_middle_and_most(self.first_post_s)} after the start and "
            f"{_middle_and_most(self.dispatch_s)} after the connection, caught up after {self.caught_up_s:.2f} s"
        )


def taken(path: Path) -> list[LedgerRow]:
    """What the provider has taken so far. A last line cut short is left out."""
    if not path.exists():
        return []
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    rows = [msgspec.json.decode(line, type=LedgerRow) for line in whole.splitlines()]
    return [row for row in rows if row.outcome is Outcome.PROVIDER_ACCEPTED]


def acknowledged(path: Path) -> list[str]:
    """Devices whose event the broker has taken."""
    return [record.device_id for record in read_ledger(path).values() if record.puback_at is not None]


def pages(rows: list[LedgerRow]) -> dict[tuple[str, str], list[float]]:
    """(number, channel) -> when the provider took a request, in order."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows:
        found[row.to or "", row.kind.value].append(row.monotonic)
    return found


def missing(events: Path, requests: Path, numbers: Mapping[str, str]) -> list[str]:
    """`device/channel` of acknowledged events that the provider has not taken (yet)."""
    came = pages(taken(requests))
    wanted = [(device, channel) for device in acknowledged(events) for channel in CHANNELS]
    return [f"{device}/{channel}" for device, channel in wanted if (numbers[device], channel) not in came]


def judge(events: Path, requests: Path, diary: Path, numbers: Mapping[str, str]) -> Verdict:
    """Join the ledgers."""
    records = read_ledger(events).values()
    owners = {numbers[record.device_id] for record in records}
    kills, starts = _times(diary, "kill"), _times(diary, "start")
    came = pages(taken(requests))
    connections = _times(diary, "connected")
    posts = sorted(time for times in came.values() for time in times)
    lives = _lives(starts, connections, posts)
    return Verdict(
        events=len(acknowledged(events)),
        kills=len(kills),
        lost=tuple(missing(events, requests, numbers)),
        repeats=dict(Counter(len(times) - 1 for times in came.values())),
        unexplained=tuple("/".join(page) for page, times in came.items() if _repeats_within_a_life(starts, times)),
        strays=tuple(sorted({to for to, _ in came if to not in owners})),
        first_post_s=tuple(post - start for start, _, post in lives),
        dispatch_s=tuple(max(0.0, post - connected) for _, connected, post in lives),
        caught_up_s=max((times[0] for times in came.values()), default=connections[-1]) - connections[-1],
    )


def _repeats_within_a_life(starts: list[float], times: list[float]) -> bool:
    """At most one repeat for each kill: two requests for the same page come from two lives."""
    lives = [bisect_right(starts, time - load_seconds_min) for time in times]
    return len(set(lives)) != len(lives)


def _lives(starts: list[float], connections: list[float], posts: list[float]) -> list[tuple[float, float, float]]:
    """(start, connection, first request) of each life that had all three."""
    lives = []
    for start, end in zip(starts, [*starts[1:], float("inf")], strict=True):
        connected = next((time for time in connections if start <= time < end), None)
        post = next((time for time in posts if start <= time - load_seconds_min < end), None)
        if connected is not None and post is not None:
            lives.append((start, connected, post))
    return lives


def _middle_and_most(seconds: tuple[float, ...]) -> str:
    """p50/max, of how many."""
    ordered = sorted(seconds)
    return f"{ordered[len(ordered) // 2]:.2f}/{ordered[-1]:.2f} s (n={len(ordered)})" if ordered else "never"


def _times(diary: Path, what: str) -> list[float]:
    lines = [msgspec.json.decode(line, type=dict[str, str | float]) for line in diary.read_bytes().splitlines()]
    return [float(line["monotonic"]) for line in lines if line["what"] == what]
