"""The benchmarks' arithmetic: shares of sorted figures, joins of stamps, medians and ratios. Pure; never measures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

Stamps = Mapping[int, float]
"""Alarm number -> seconds of this machine's monotonic clock."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Milliseconds over `count` samples."""

    count: int
    p50: float
    p99: float
    p999: float
    max: float


@dataclass(frozen=True, slots=True)
class Joined:
    """`seconds`: one figure per alarm that arrived everywhere. `lost`: alarms that did not."""

    seconds: tuple[float, ...]
    lost: tuple[int, ...]


def at_share(ordered: Sequence[float], share: float) -> float:
    """Nearest rank: the smallest figure that at least this share (above 0, to 1) of all figures stay within."""
    assert ordered, "no figures"
    assert 0 < share <= 1, share
    rank = ceil(round(share * len(ordered), 9))  # 0.999 * 1000 is a little more than 999 in binary
    return ordered[rank - 1]


def summary(seconds: Iterable[float]) -> Summary | None:
    """In milliseconds; None without any figure."""
    ordered = sorted(value * 1000 for value in seconds)
    if not ordered:
        return None
    return Summary(len(ordered), at_share(ordered, 0.5), at_share(ordered, 0.99), at_share(ordered, 0.999), ordered[-1])


def last_of(published: Stamps, *accepted: Stamps) -> Joined:
    """From each alarm's publication until the last of several acceptances; an alarm that lacks one of them is lost."""
    seconds, lost = [], []
    for number, since in published.items():
        stamps = [each.get(number) for each in accepted]
        known = [stamp for stamp in stamps if stamp is not None]
        if len(known) < len(stamps):
            lost.append(number)
        else:
            seconds.append(max(known) - since)
    return Joined(tuple(seconds), tuple(lost))


def first_stamps(pairs: Iterable[tuple[int, float]]) -> tuple[dict[int, float], int]:
    """The earliest stamp of each number, and how many came beyond the first."""
    found: dict[int, float] = {}
    again = 0
    for number, stamp in pairs:
        if number in found:
            again += 1
        found[number] = min(stamp, found.get(number, stamp))
    return found, again


def ratio(figure: float, floor: float) -> float | None:
    """The figure as a multiple of the floor's; None where the floor has none."""
    return figure / floor if floor > 0 else None


def middle(figures: Sequence[float]) -> float:
    """The median of the rounds."""
    return float(median(figures))


def rate(amount: float, seconds: float) -> float:
    """Per second; 0 where no time went by."""
    return amount / seconds if seconds > 0 else 0.0


def cpu_share(before: Mapping[str, float], after: Mapping[str, float], seconds: float) -> dict[str, float]:
    """CPU seconds per second, by name: 1.0 is one whole core. Names that came later count from nothing."""
    return {name: rate(used - before.get(name, 0.0), seconds) for name, used in after.items()}
