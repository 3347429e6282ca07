"""What makes a worker ready, item by item: known wrong is a fault, unproved is unknown, and both say what to do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerting.core.readiness import (
    STREAM,
    Configured,
    Facts,
    Item,
    Phone,
    Point,
    What,
    Word,
    faults,
    phones_asked,
    readiness,
    tappable,
)
from api.words_readiness import CARRIERS, ITEMS, REMEDIES
from devices.model import AppCarrier, Channel

NOW = datetime(2026, 11, 27, 1, 0, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SMS = Point(
    Channel.SMS,
    "+8613800138000",
    verified_at=NOW - DAY,
    whitelisted={"aliyun": NOW - DAY},
    card_saved_at=NOW - DAY,
    guide_done_at=NOW - HOUR,
    budget=(("aliyun", 20), ("twilio", None)),
)
VOICE = replace(SMS, channel=Channel.VOICE)
APP = Point(Channel.APP, "w1", verified_at=NOW - DAY)
GOOD = Facts(
    person_id="w1",
    language="zh-CN",
    points=(SMS, VOICE, APP),
    carriers={"webpush": NOW - DAY, "wecom": NOW - DAY},
    app_seen_at=NOW - HOUR,
    phones=(
        Phone("webpush", "s1", "手机", "2026-11-27", NOW - HOUR, NOW - HOUR),
        Phone("wecom", "s2", "", "2026-11-27", NOW - HOUR, NOW - HOUR / 2),
        Phone("stream"),
    ),
)
TAPPED, LINKED, _ = GOOD.phones
STALE = replace(LINKED, untapped_since=NOW - DAY)
WAITING = replace(LINKED, untapped_since=NOW - DAY + HOUR)
NEW = replace(TAPPED, tapped_at=None, untapped_since=NOW - HOUR)
ALL = Configured(white_lists=("aliyun",), work_apps=("wecom",), push=True)


def looked(facts: Facts, configured: Configured = ALL) -> tuple[Item, ...]:
    return readiness(facts, configured, NOW)


def one(facts: Facts, what: What, configured: Configured = ALL) -> tuple[Word, str | None]:
    """The worst word about it."""
    found = [item for item in looked(facts, configured) if item.what is what]
    found.sort(key=lambda item: [Word.FAULT, Word.UNKNOWN, Word.FINE].index(item.word))
    return found[0].word, found[0].remedy


def with_sms(**changes: object) -> Facts:
    return replace(GOOD, points=(replace(SMS, **changes), VOICE, APP))  # type: ignore[arg-type]


def test_somebody_in_order_has_nothing_but_fine_items_about_everything() -> None:
    items = looked(GOOD)
    assert {item.word for item in items} == {Word.FINE}
    assert {item.what for item in items} == set(What) - {What.NUMBER, What.OPTED_OUT, What.UNREACHABLE}
    assert all(item.remedy is None for item in items)


@pytest.mark.parametrize(
    ("facts", "what", "word", "remedy"),
    [
        (replace(GOOD, points=(APP,)), What.NUMBER, Word.FAULT, "add_number"),
        (with_sms(opted_out_at=NOW), What.NUMBER, Word.FAULT, "add_number"),
        (with_sms(opted_out_at=NOW), What.OPTED_OUT, Word.FAULT, "opt_in"),
        (with_sms(unreachable_since=NOW, stopped=True), What.OPTED_OUT, Word.FAULT, "opt_in_at_carrier"),
        (with_sms(unreachable_since=NOW, unreachable_reason="30005"), What.UNREACHABLE, Word.FAULT, "check_number"),
        (with_sms(verified_at=None), What.VERIFIED, Word.FAULT, "verify"),
        (with_sms(whitelisted={}), What.WHITE_LIST, Word.FAULT, "white_list"),
        (with_sms(budget=(("aliyun", 0), ("tencent", 0))), What.BUDGET, Word.FAULT, "raise_budget"),
        (with_sms(budget=(("aliyun", 0), ("tencent", 1))), What.BUDGET, Word.FINE, None),
        (with_sms(budget=None), What.BUDGET, Word.UNKNOWN, None),
        (with_sms(card_saved_at=None), What.CONTACT_CARD, Word.UNKNOWN, "save_card"),
        (with_sms(guide_done_at=None), What.PHONE_GUIDE, Word.UNKNOWN, "follow_guide"),
        (replace(GOOD, app_seen_at=NOW - 8 * DAY), What.APP, Word.FAULT, "open_app"),
        (replace(GOOD, app_seen_at=None), What.APP, Word.UNKNOWN, "open_app"),
        (replace(GOOD, carriers={}), What.PUSH, Word.UNKNOWN, "allow_push"),
        (replace(GOOD, carriers={"webpush": NOW - 61 * DAY}), What.PUSH, Word.FAULT, "renew_push"),
        (replace(GOOD, carriers={}), What.WORK_APP, Word.UNKNOWN, "link_work_app"),
        (replace(GOOD, phones=(STALE,)), What.SELF_TEST, Word.FAULT, "tap_self_test"),
        (replace(GOOD, phones=(STALE, NEW)), What.SELF_TEST, Word.FAULT, "tap_self_test"),
        (replace(GOOD, phones=(STALE, TAPPED)), What.SELF_TEST, Word.FINE, None),
        (replace(GOOD, phones=(STALE, TAPPED)), What.PHONE, Word.UNKNOWN, "tap_or_remove"),
        (replace(GOOD, phones=(WAITING,)), What.SELF_TEST, Word.FINE, None),
        (replace(GOOD, phones=(WAITING,)), What.PHONE, Word.FINE, None),
        (replace(GOOD, phones=(NEW,)), What.SELF_TEST, Word.UNKNOWN, "tap_self_test"),
        (replace(GOOD, phones=(NEW,)), What.PHONE, Word.UNKNOWN, "tap_self_test"),
        (replace(GOOD, phones=(replace(NEW, refused="expired"),)), What.PHONE, Word.UNKNOWN, "renew_phone"),
        (replace(GOOD, phones=(Phone("wecom", "s2"),)), What.SELF_TEST, Word.UNKNOWN, "await_self_test"),
        (replace(GOOD, phones=(Phone("wecom", "s2"),)), What.PHONE, Word.UNKNOWN, "await_self_test"),
        (replace(GOOD, phones=()), What.SELF_TEST, Word.UNKNOWN, "add_app_contact"),
        (replace(GOOD, phones=(), carriers={}), What.SELF_TEST, Word.UNKNOWN, "no_app"),
    ],
)
def test_each_thing_that_may_be_wrong(facts: Facts, what: What, word: Word, remedy: str | None) -> None:
    assert one(facts, what) == (word, remedy)


def test_an_opted_out_fire_worker_is_not_ready_whoever_he_told() -> None:
    """By our own switch or by STOP to the carrier: a safety fault, and nothing else is said of a number nobody uses."""
    for facts in (with_sms(opted_out_at=NOW), with_sms(unreachable_since=NOW, stopped=True)):
        assert What.OPTED_OUT in {item.what for item in faults(looked(facts))}
    unused = [item for item in looked(with_sms(opted_out_at=NOW, verified_at=None)) if item.channel is Channel.SMS]
    assert {item.what for item in unused} == {What.NUMBER, What.OPTED_OUT}


def test_nobody_is_asked_for_what_this_deployment_has_not() -> None:
    bare = Configured(self_tests=False, card=False)
    plain = replace(GOOD, carriers={}, points=(replace(SMS, whitelisted={}), VOICE), phones=())
    seen = {item.what for item in looked(plain, bare)}
    assert seen.isdisjoint({What.WHITE_LIST, What.PUSH, What.WORK_APP, What.SELF_TEST, What.CONTACT_CARD})
    abroad = replace(GOOD, points=(replace(SMS, address="+447700900123", whitelisted={}), VOICE))
    assert one(abroad, What.WHITE_LIST) == (Word.FINE, None), "only numbers whose carriers need it"


def test_one_stale_phone_is_named_and_is_no_fault_while_another_was_tapped() -> None:
    items = looked(replace(GOOD, phones=(TAPPED, STALE)))
    assert not faults(items)
    (named,) = [item for item in items if item.word is Word.UNKNOWN]
    assert (named.what, named.about, named.since) == (What.PHONE, "wecom", NOW - DAY)
    (fine,) = [item for item in items if item.what is What.PHONE and item.word is Word.FINE]
    assert (fine.about, fine.detail, fine.since) == ("webpush", "手机", NOW - HOUR)
    none = looked(replace(GOOD, phones=(STALE, replace(TAPPED, untapped_since=NOW - 3 * DAY))))
    (fault,) = faults(none)
    assert (fault.what, fault.since) == (What.SELF_TEST, NOW - DAY), "since the last of them is no longer proved"


def test_each_subscription_is_a_phone_and_the_stream_only_where_it_is_all() -> None:
    stream = Phone(STREAM)
    phones = (TAPPED, LINKED, Phone("feishu", "s3"), stream)
    assert phones_asked(phones, ALL.carriers) == (TAPPED, LINKED), "not of carriers that have no account here"
    assert phones_asked(phones, ()) == (stream,)
    assert phones_asked((TAPPED,), ()) == ()


def test_no_message_goes_where_nobody_could_tap_it() -> None:
    assert [each for each in (STREAM, *AppCarrier) if not tappable(each, links=False)] == [
        "wecom",
        "dingtalk",
        "feishu",
    ]
    assert all(tappable(each, links=True) for each in (STREAM, *AppCarrier))
    unlinked = replace(ALL, links=False)
    assert one(replace(GOOD, phones=(Phone("wecom", "s2"),)), What.PHONE, unlinked) == (Word.UNKNOWN, "set_public_url")


def test_the_worst_stands_first_and_no_number_is_in_any_repr() -> None:
    items = looked(with_sms(opted_out_at=NOW, card_saved_at=None))
    assert [item.what for item in items][:2] == [What.NUMBER, What.OPTED_OUT]
    assert "13800138000" not in repr(GOOD) + repr(items)


def test_every_item_and_remedy_has_its_words_in_both_languages() -> None:
    assert set(ITEMS) == {what.value for what in What}
    worst = Facts("w1", "en", (replace(SMS, verified_at=None, whitelisted={}, card_saved_at=None, guide_done_at=None),))
    phones = replace(GOOD, phones=(STALE, NEW, Phone("wecom", "s2")))
    used = {
        item.remedy for facts in (worst, with_sms(opted_out_at=NOW), phones) for item in looked(facts) if item.remedy
    }
    used |= {"no_app", "add_app_contact", "set_public_url", "renew_phone"}
    assert used <= set(REMEDIES)
    assert set(CARRIERS) == {STREAM, *AppCarrier}
    assert all(zh and en and zh != en for zh, en in (*REMEDIES.values(),))
