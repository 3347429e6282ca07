"""Is a worker ready to be reached, and why not: facts in, a list of items out. Pure; says no sentence, sends nothing.

Law: `fault` is known to be wrong, `unknown` is what nobody has proved; neither keeps anybody from being called.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from devices.model import AppCarrier, Channel

app_quiet_max = timedelta(days=7)
"""An app that has not been opened for so long is probably gone from the phone."""
push_age_max = timedelta(days=60)
"""A push subscription that nobody has confirmed for so long has probably ended without a word."""
untapped_max = timedelta(hours=24)
"""A phone on which the daily message was tapped no later than this proves that its owner can be reached."""
STREAM = "stream"
"""The app's own live stream, as a carrier and as a phone."""
WEBPUSH = AppCarrier.WEBPUSH.value
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
    """Was it tapped on any phone of his?"""
    PHONE = "phone"
    """The same of each phone."""
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
class Phone:
    """Where the daily message goes (a browser, an account of a work app, the app's own stream) and what became of it.
    Nothing here says where that is."""

    carrier: str
    subscription_id: str | None = None
    """None: the stream, which has none."""
    label: str = ""
    """What its owner calls it."""
    day: str = ""
    """ISO local date of the last message."""
    sent_at: datetime | None = None
    tapped_at: datetime | None = None
    untapped_since: datetime | None = None
    """The first message since the last tap."""
    refused: str = ""
    """Why its carrier would not take the last message there."""

    def stale(self, now: datetime) -> bool:
        return self.untapped_since is not None and now - self.untapped_since >= untapped_max

    def proved(self, now: datetime) -> bool:
        return self.tapped_at is not None and not self.stale(now)

    def word(self, now: datetime) -> Word:
        """One phone by itself is never a fault: he may have another."""
        return Word.FINE if self.proved(now) else Word.UNKNOWN


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one worker's reachability."""

    person_id: str
    language: str
    points: tuple[Point, ...] = ()
    carriers: Mapping[str, datetime] = field(default_factory=dict)
    """App carriers with a live subscription of his (`webpush`, `wecom` ...) -> when it was last confirmed."""
    app_seen_at: datetime | None = None
    phones: tuple[Phone, ...] = ()
    """Every live subscription of his and the stream; none where no alarm would go to an app of his."""


@dataclass(frozen=True, slots=True)
class Configured:
    """What this deployment has, so that nobody is asked for what would not help."""

    white_lists: tuple[str, ...] = ()
    """Vendors whose limits per number a white list lifts."""
    work_apps: tuple[str, ...] = ()
    push: bool = False
    self_tests: bool = True
    card: bool = True
    links: bool = True
    """Phones reach our pages: without, nobody can tap in a work app."""

    @property
    def carriers(self) -> frozenset[str]:
        """App carriers that have an account here."""
        return frozenset({*self.work_apps, *((WEBPUSH,) if self.push else ())})


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


def phones_asked(phones: Sequence[Phone], carriers: Collection[str]) -> tuple[Phone, ...]:
    """Those that get a message each: subscriptions of these carriers, and the stream where that is all he has."""
    subscribed = tuple(phone for phone in phones if phone.carrier in carriers)
    return subscribed or tuple(phone for phone in phones if phone.carrier == STREAM)


def tappable(carrier: str, *, links: bool) -> bool:
    """Can the message be tapped there? In a work app only by a link; our own client needs none."""
    return links or carrier in (STREAM, WEBPUSH)


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
    phones = phones_asked(facts.phones, configured.carriers)
    if not configured.self_tests and all(phone.sent_at is None for phone in phones):
        return
    yield _reached(facts, phones, now)
    for phone in phones:
        yield _phone_tested(phone, configured, now)


def _reached(facts: Facts, phones: Sequence[Phone], now: datetime) -> Item:
    """A fault when a message has waited too long and no phone of his has proved itself meanwhile."""
    if not phones:
        remedy = "add_app_contact" if facts.carriers else "no_app"
        return Item(What.SELF_TEST, Word.UNKNOWN, Channel.APP, remedy=remedy)
    proved = [phone.tapped_at for phone in phones if phone.tapped_at is not None and phone.proved(now)]
    if proved:
        return Item(What.SELF_TEST, Word.FINE, Channel.APP, since=max(proved))
    stale = [phone.untapped_since for phone in phones if phone.untapped_since is not None and phone.stale(now)]
    if stale:  # the last of them that could be reached is since then no longer proved
        return Item(What.SELF_TEST, Word.FAULT, Channel.APP, since=max(stale), remedy="tap_self_test")
    sent = [phone.sent_at for phone in phones if phone.sent_at is not None]
    remedy = "tap_self_test" if sent else "await_self_test"
    return Item(What.SELF_TEST, Word.UNKNOWN, Channel.APP, since=min(sent, default=None), remedy=remedy)


def _phone_tested(phone: Phone, configured: Configured, now: datetime) -> Item:
    word, since = phone.word(now), phone.untapped_since
    remedy: str | None = "tap_self_test"
    if word is Word.FINE:
        since, remedy = phone.tapped_at, None
    elif phone.refused:
        remedy = "renew_phone"
    elif phone.stale(now):
        remedy = "tap_or_remove"
    elif phone.sent_at is None:
        reachable = tappable(phone.carrier, links=configured.links)
        remedy = "await_self_test" if reachable else "set_public_url"
    return Item(What.PHONE, word, Channel.APP, phone.carrier, since, remedy, phone.label)


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
