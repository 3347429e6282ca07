"""What the fate of a canary means: off, begun, missed, late, stopped. And that its message is no alarm."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerting.core.canary import CANARY_TOPIC, CanaryRow, fault
from alerting.reading import read, urgency
from alerting.verdicts import Prepared, Urgency
from devices import decode
from devices.signals import RawMessage, Uplink
from gengfu.accounts import other_accounts
from gengfu.clock import RandomIds
from gengfu.doctor_watchdog import canary_finding
from gengfu.settings import load_settings
from tests.architecture.sources import ROOT

NOW = datetime(2026, 11, 23, 3, 12, 9, tzinfo=UTC)
HEALTHY = CanaryRow(
    every_s=60,
    looked_at=NOW - timedelta(seconds=40),
    misses=0,
    token="b",
    sent_at=NOW - timedelta(seconds=40),
    committed_at=NOW - timedelta(seconds=40),
    heard_token="b",
    heard_at=NOW - timedelta(seconds=40),
    seconds=0.012,
    violations=0,
    violated_at=None,
)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (None, None),
        (HEALTHY, None),
        (replace(HEALTHY, every_s=0, misses=9), None),
        (replace(HEALTHY, misses=1), None),
        (replace(HEALTHY, misses=2), "2 canary alarms"),
        (replace(HEALTHY, seconds=4.9), None),
        (replace(HEALTHY, seconds=5.1), "5.1 s"),
        (replace(HEALTHY, looked_at=NOW - timedelta(seconds=125)), None),
        (replace(HEALTHY, looked_at=NOW - timedelta(seconds=126)), "126 s"),
        (replace(HEALTHY, seconds=None, heard_at=None, heard_token=None), None),
    ],
)
def test_two_misses_or_more_than_five_seconds_are_a_fault(row: CanaryRow | None, words: str | None) -> None:
    found = fault(row, NOW)
    assert (found is None) if words is None else (found is not None and words in found)


def test_the_doctor_says_how_the_last_one_fared() -> None:
    assert "0.012 s" in canary_finding(HEALTHY, NOW, 60).sentence
    assert not canary_finding(replace(HEALTHY, misses=3), NOW, 60).ok
    assert canary_finding(None, NOW, 60).warns
    assert canary_finding(HEALTHY, NOW, 0).warns


def prepared(topic: str) -> Prepared:
    sent = (
        b'{"event_id": "0123456789abc", "code": "fire.smoke", "state": "raised", "observed_at": "2026-11-23T03:12:08Z"}'
    )
    raw = RawMessage(topic, sent, NOW)
    uplink = decode(raw)
    assert isinstance(uplink, Uplink)
    return Prepared(raw, uplink, urgency(uplink))


def test_it_is_read_and_ordered_as_a_fire_and_is_none() -> None:
    canary = prepared(CANARY_TOPIC)
    assert canary.urgency is Urgency.FIRE
    found = read(canary, RandomIds())
    assert (found.event, found.signals, found.quarantined) == (None, (), None)
    assert found.canary_at == NOW - timedelta(seconds=1)
    other = read(prepared("gengfu/v1/gengfu-canary2/up/event"), RandomIds())
    assert other.canary_at is None
    assert len(other.signals) == 1


def test_no_device_may_have_its_name() -> None:
    assert "gengfu-canary" in other_accounts(load_settings({}, ROOT / "nowhere"))
