"""Is a worker ready to be reached, and why not: facts in, a list of items out. Pure; says no sentence, sends nothing.

Law: `fault` is known to be wrong, `unknown` is what nobody has proved; neither keeps anybody from being called.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from devices.model import Channel

app_quiet_max = timedelta(days=7)
"""An app that has not been opened for so long is probably gone from the phone."""
push_age_max = timedelta(days=60)
"""A push subscription that nobody has confirmed for so long has probably ended without a word."""
untapped_max = timedelta(hours=24)
CHINA = "+86"


class Word(StrEnum):
    FINE = "fine"
    FAULT = "fault"
    UNKNOWN = "unknown"


class What(StrEnum):
    """What is looked at; worst first, which is the order of the list."""

    NUMBER = "number"
    """Some telephone number that may be used."""
    OPTED_OUT = "opted_out"
    UNREACHABLE = "unreachable"
    VERIFIED = "verified"
    SELF_TEST = "self_test"
    WHITE_LIST = "white_list"
    BUDGET = "budget"
    APP = "app"
    PUSH = "push"
    WORK_APP = "work_app"
    CONTACT_CARD = "contact_card"
    PHONE_GUIDE = "phone_guide"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class Item:
    """One line. `about`: of which vendor or channel; `remedy`: the key of what to do, None where all is well."""

    what: What
    word: Word
    channel: Channel | None = None
    about: str = ""
    since: datetime | None = None
    remedy: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """One contact point."""

    channel: Channel
    address: str = field(repr=False)
    verified_at: datetime | None = None
    opted_out_at: datetime | None = None
    unreachable_since: datetime | None = None
    unreachable_reason: str = ""
    unreachable_provider: str = ""
    stopped: bool = False
    """The person has told the carrier to send nothing more."""
    whitelisted: Mapping[str, datetime] = field(default_factory=dict)
    card_saved_at: datetime | None = None
    guide_done_at: datetime | None = None
    budget: tuple[tuple[str, int | None], ...] | None = None
    """Carrier -> messages of life safety that it still takes for this number tonight, None where it sets no limit. None
    altogether: not counted by this process."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one worker's reachability."""

    person_id: str
    language: str
    points: tuple[Point, ...] = ()
    carriers: Mapping[str, datetime] = field(default_factory=dict)
    """App carriers with a live subscription of his (`webpush`, `wecom` ...) -> when it was last confirmed."""
    app_seen_at: datetime | None = None
    self_test_sent_at: datetime | None = None
    untapped_since: datetime | None = None
    tapped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Configured:
    """What this deployment has, so that nobody is asked for what would not help."""

    white_lists: tuple[str, ...] = ()
    """Vendors whose limits per number a white list lifts."""
    work_apps: tuple[str, ...] = ()
    push: bool = False
    self_tests: bool = True
    card: bool = True


def readiness(facts: Facts, configured: Configured, now: datetime) -> tuple[Item, ...]:
    """Every item, worst kind first."""
    found = [
        *_numbers(facts),
        *(item for point in facts.points for item in _of_point(point)),
        *_self_test(facts, configured, now),
        *_white_lists(facts, configured),
        *_app(facts, configured, now),
        *_phone(facts, configured),
        Item(What.LANGUAGE, Word.FINE, detail=facts.language),
    ]
    order = {what: number for number, what in enumerate(What)}
    return tuple(sorted(found, key=lambda item: order[item.what]))


def faults(items: Iterable[Item]) -> tuple[Item, ...]:
    """What is known to be wrong: with any of it, a worker is not ready."""
    return tuple(item for item in items if item.word is Word.FAULT)


def _numbers(facts: Facts) -> Iterator[Item]:
    for channel in (Channel.SMS, Channel.VOICE):
        usable = any(each.channel is channel and each.opted_out_at is None for each in facts.points)
        if not usable:
            yield Item(What.NUMBER, Word.FAULT, channel, remedy="add_number")


def _of_point(point: Point) -> Iterator[Item]:
    opted = point.opted_out_at or (point.unreachable_since if point.stopped else None)
    if opted is not None:
        remedy = "opt_in_at_carrier" if point.stopped else "opt_in"
        yield Item(What.OPTED_OUT, Word.FAULT, point.channel, point.unreachable_provider, opted, remedy)
    elif point.unreachable_since is not None:
        yield Item(
            What.UNREACHABLE,
            Word.FAULT,
            point.channel,
            point.unreachable_provider,
            point.unreachable_since,
            "check_number",
            point.unreachable_reason,
        )
    if point.opted_out_at is not None:
        return
    if point.verified_at is None:
        yield Item(What.VERIFIED, Word.FAULT, point.channel, remedy="verify")
    else:
        yield Item(What.VERIFIED, Word.FINE, point.channel, since=point.verified_at)
    if point.channel is not Channel.APP:
        yield _budget(point)


def _budget(point: Point) -> Item:
    if not point.budget:
        return Item(What.BUDGET, Word.UNKNOWN, point.channel)
    left = any(count is None or count > 0 for _, count in point.budget)
    detail = ", ".join(f"{carrier} {'-' if count is None else count}" for carrier, count in point.budget)
    if left:
        return Item(What.BUDGET, Word.FINE, point.channel, detail=detail)
    return Item(What.BUDGET, Word.FAULT, point.channel, remedy="raise_budget", detail=detail)


def _self_test(facts: Facts, configured: Configured, now: datetime) -> Iterator[Item]:
    if not configured.self_tests and facts.self_test_sent_at is None:
        return
    since = facts.untapped_since
    if since is not None and now - since >= untapped_max:
        yield Item(What.SELF_TEST, Word.FAULT, Channel.APP, since=since, remedy="tap_self_test")
    elif facts.tapped_at is not None:
        yield Item(What.SELF_TEST, Word.FINE, Channel.APP, since=facts.tapped_at)
    else:
        remedy = "install_app" if facts.self_test_sent_at is None else "tap_self_test"
        yield Item(What.SELF_TEST, Word.UNKNOWN, Channel.APP, since=since, remedy=remedy)


def _white_lists(facts: Facts, configured: Configured) -> Iterator[Item]:
    """Only for numbers whose carriers swallow what goes over a few calls a day."""
    for point in facts.points:
        if point.channel is Channel.APP or point.opted_out_at is not None or not point.address.startswith(CHINA):
            continue
        for vendor in configured.white_lists:
            since = point.whitelisted.get(vendor)
            word = Word.FAULT if since is None else Word.FINE
            remedy = "white_list" if since is None else None
            yield Item(What.WHITE_LIST, word, point.channel, vendor, since, remedy)


def _app(facts: Facts, configured: Configured, now: datetime) -> Iterator[Item]:
    seen = facts.app_seen_at
    uses_app = bool(facts.carriers) or any(point.channel is Channel.APP for point in facts.points)
    if seen is not None and now - seen <= app_quiet_max:
        yield Item(What.APP, Word.FINE, Channel.APP, since=seen)
    else:
        word = Word.FAULT if uses_app and seen is not None else Word.UNKNOWN
        yield Item(What.APP, word, Channel.APP, since=seen, remedy="open_app" if uses_app else "install_app")
    if configured.push:
        yield _push(facts.carriers.get("webpush"), now)
    for vendor in configured.work_apps:
        since = facts.carriers.get(vendor)
        word, remedy = (Word.UNKNOWN, "link_work_app") if since is None else (Word.FINE, None)
        yield Item(What.WORK_APP, word, Channel.APP, vendor, since, remedy)


def _push(since: datetime | None, now: datetime) -> Item:
    if since is None:
        return Item(What.PUSH, Word.UNKNOWN, Channel.APP, "webpush", remedy="allow_push")
    old = now - since > push_age_max
    word = Word.FAULT if old else Word.FINE
    return Item(What.PUSH, word, Channel.APP, "webpush", since, "renew_push" if old else None)


def _phone(facts: Facts, configured: Configured) -> Iterator[Item]:
    phones = [point for point in facts.points if point.channel is not Channel.APP]
    if not phones:
        return
    if configured.card:
        yield _said(What.CONTACT_CARD, [point.card_saved_at for point in phones], "save_card")
    yield _said(What.PHONE_GUIDE, [point.guide_done_at for point in phones], "follow_guide")


def _said(what: What, times: list[datetime | None], remedy: str) -> Item:
    """He says so of every telephone number of his; a new number asks again."""
    known = [at for at in times if at is not None]
    if len(known) < len(times):
        return Item(what, Word.UNKNOWN, remedy=remedy)
    return Item(what, Word.FINE, since=min(known))
