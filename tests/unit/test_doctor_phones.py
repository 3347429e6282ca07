"""`gengfu doctor` on the daily message: all phones of who has a stale one, who has no app, how many are in order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from alerting.core.readiness import Phone
from gengfu.doctor_phones import OfWorker, phone_findings, workers_named_max

NOW = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
TAPPED = Phone("webpush", "s1", "手机", "2026-11-27", NOW - 2 * HOUR, NOW - HOUR)
WAITING = Phone("webpush", "s2", "平板", "2026-11-27", NOW - 2 * HOUR, NOW - DAY, NOW - 2 * HOUR)
STALE = Phone("wecom", "s3", "", "2026-11-27", NOW - 2 * HOUR, None, NOW - 2 * DAY)


def said(*workers: OfWorker) -> list[tuple[bool, str]]:
    """Whether each line warns, and its sentence."""
    found = phone_findings(workers, NOW)
    assert all(each.ok and each.name == "self-test" for each in found), "worth putting right by day, no fault"
    return [(each.warns, each.sentence) for each in found]


def test_who_has_a_stale_phone_is_named_with_all_his_phones() -> None:
    warns, fine = said(OfWorker("jia", (TAPPED, WAITING, STALE)))
    assert warns == (
        True,
        'jia: push messages "手机" sent 2026-11-27 01:00 UTC, tapped 2026-11-27 02:00 UTC; '
        'push messages "平板" sent 2026-11-27 01:00 UTC, not tapped since 2026-11-27 01:00 UTC (still in time), '
        "tapped 2026-11-26 03:00 UTC; "
        "WeCom sent 2026-11-27 01:00 UTC, not tapped since 2026-11-25 03:00 UTC, never tapped: "
        "have it tapped there, or remove the phone.",
    )
    assert fine == (False, "3 phones: 2 tapped, 1 too late, 0 open.")
    ((_, alone), _) = said(OfWorker("jia", (STALE,)))
    assert alone.endswith("no phone of his proves that he is reached.")
    assert "s3" not in alone
    ((_, refused), _) = said(OfWorker("jia", (replace(STALE, refused="user_unknown"),)))
    assert "WeCom refused by its carrier (user_unknown) 2026-11-27 01:00 UTC, never tapped" in refused


def test_phones_in_order_are_only_counted_and_who_has_none_is_named() -> None:
    new = replace(TAPPED, sent_at=None, tapped_at=None)
    assert said(OfWorker("jia", (TAPPED, new)), OfWorker("yi", ())) == [
        (True, "No app: the daily test does not reach yi: have it installed, and until then prove the number by a "
               "verification call."),
        (False, "2 phones: 1 tapped, 0 too late, 1 open."),
    ]  # fmt: skip
    assert said() == []


def test_a_whole_city_is_no_wall_of_lines() -> None:
    many = [OfWorker(f"w{number}", (STALE,)) for number in range(workers_named_max + 5)]
    lines = said(*many, *(OfWorker(f"n{number}", ()) for number in range(300)))
    assert len(lines) == workers_named_max + 3
    assert lines[workers_named_max][1].startswith("5 more workers")
    assert len(lines[-2][1]) < 300
