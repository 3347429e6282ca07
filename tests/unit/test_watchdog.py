"""The watchdog's judgement and words: when the administrator is paged, how often, when it is over; no process runs."""

import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from alerting.core.parts import one_part
from devices.model import Language
from gengfu.doctor_watchdog import watchdog_finding
from gengfu.settings import SettingsError, load_settings
from gengfu.watchdog import keeping
from gengfu.watchdog.judging import (
    Cause,
    Judged,
    Kind,
    Message,
    Rules,
    Seen,
    State,
    Trouble,
    flap_gap_s,
    judge,
    paged,
    repeat_s_max,
)
from gengfu.watchdog.setting_up import NoWatchdog, watch_of
from gengfu.watchdog.words import speech_of, text_of
from tests.architecture.sources import ROOT

NOW = datetime(2026, 11, 23, 3, 12, 9, tzinfo=UTC)
FIRST, SECOND = "+8613800138000", "+8613800138001"
RULES = Rules((FIRST, SECOND), silent_s=30, repeat_s=180)
WELL, SILENT, CANARY = Seen(), Seen(Cause.SILENT), Seen(Cause.CANARY)
ENVIRON = {
    "GENGFU_WATCHDOG__PHONES": f"{FIRST}, 13800138001",
    "GENGFU_WATCHDOG__TWILIO__ACCOUNT_SID": "AC2",
    "GENGFU_WATCHDOG__TWILIO__AUTH_TOKEN": "hush-watchdog",
    "GENGFU_WATCHDOG__TWILIO__FROM_NUMBER": "+15550100",
}


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def watch(looks: Iterable[tuple[float, Seen]], state: State | None = None, *, accepted: bool = True) -> list[str]:
    """What these looks lead to: `seconds kind number...` for each message."""
    told: list[str] = []
    state = state or State()
    for seconds, seen in looks:
        judged = judge(state, seen, at(seconds), RULES)
        state = judged.state
        for message in judged.messages:
            state = paged(state, message, at(seconds), RULES, accepted=accepted)
            told.append(f"{seconds:g} {message.kind} {len(message.phones)}{' call' if message.call else ''}")
    return told


def every(seconds: float, seen: Seen, begin: float, end: float) -> list[tuple[float, Seen]]:
    count = int((end - begin) / seconds)
    return [(begin + seconds * number, seen) for number in range(count)]


def test_silence_is_told_after_its_time_and_then_repeated_to_more_numbers_ever_more_seldom() -> None:
    assert watch(every(5, SILENT, 0, 2000)) == [
        "30 trouble 1 call",
        "210 trouble 2 call",
        "390 trouble 2 call",
        "750 trouble 2 call",
        "1470 trouble 2 call",
    ]


def test_a_short_silence_is_nothing() -> None:
    assert watch([*every(5, SILENT, 0, 30), *every(5, WELL, 30, 60), *every(5, SILENT, 60, 90)]) == []


def test_a_canary_that_does_not_come_through_is_told_at_once() -> None:
    assert watch([(0, WELL), (5, CANARY)]) == ["5 trouble 1 call"]


def test_its_end_is_told_once_by_text_to_those_who_were_told() -> None:
    looks = [*every(5, CANARY, 0, 200), *every(5, WELL, 200, 600)]
    assert watch(looks) == ["0 trouble 1 call", "180 trouble 2 call", f"{200 + RULES.well_after_s:g} well 2"]


def test_a_moment_of_health_is_no_end() -> None:
    assert watch([(0, CANARY), (5, WELL), (10, CANARY), (15, WELL), (20, CANARY)]) == ["0 trouble 1 call"]


def test_what_comes_and_goes_floods_nobody() -> None:
    looks = [
        look
        for n in range(20)
        for look in (*every(5, CANARY, 40 * n, 40 * n + 20), (40 * n + 20, WELL), (40 * n + 36, WELL))
    ]
    told = [line for line in watch(sorted(looks, key=lambda look: look[0])) if "trouble" in line]
    instants = [float(line.split()[0]) for line in told]
    assert 2 <= len(told) <= 800 / flap_gap_s + 1
    assert all(later - sooner >= flap_gap_s for sooner, later in pairwise(instants))


def test_acknowledged_it_is_told_no_more_but_for_its_end() -> None:
    state = judge(State(), CANARY, NOW, RULES).state
    (message,) = judge(State(), CANARY, NOW, RULES).messages
    state = paged(state, message, NOW, RULES, accepted=True)
    state = judge(state, CANARY, at(10), RULES, acknowledged=True).state
    assert watch([*every(5, CANARY, 15, 3000), *every(5, WELL, 3000, 3100)], state) == ["3015 well 1"]


def test_a_new_trouble_after_an_acknowledged_one_is_told_again() -> None:
    state = State(trouble=Trouble(Cause.SILENT, NOW, at(180), rounds=1, acknowledged=True, told=(FIRST,)))
    looks = [*every(5, WELL, 0, 60), *every(5, CANARY, 400, 410)]
    assert watch(looks, state) == ["15 well 1", "400 trouble 1 call"]


def test_a_provider_that_takes_nothing_is_tried_again_soon_and_its_end_says_nothing() -> None:
    assert watch([*every(5, CANARY, 0, 40), *every(5, WELL, 40, 80)], accepted=False) == [
        "0 trouble 1 call",
        "15 trouble 1 call",
        "30 trouble 1 call",
    ]


def test_a_violation_is_told_once_and_not_for_what_it_found_at_its_start() -> None:
    looks = [(0, Seen(violations=7)), (5, Seen(violations=9)), (10, Seen(violations=9)), (20, Seen(violations=12))]
    looks += [(1800, Seen(violations=12)), (1810, Seen(violations=12)), (1815, Seen(violations=0))]
    assert watch(looks) == ["5 violation 1 call", "1810 violation 1 call"]


def test_the_interval_has_an_end() -> None:
    state = State(trouble=Trouble(Cause.SILENT, NOW, NOW, rounds=40, told=(FIRST,)))
    (message,) = judge(state, SILENT, NOW, RULES).messages
    after = paged(state, message, NOW, RULES, accepted=True)
    assert after.trouble is not None
    assert after.trouble.next_at == at(repeat_s_max)


def test_a_clock_that_was_set_back_silences_nothing() -> None:
    state = State(wrong_since=at(9_000), paged_at=at(9_000), trouble=Trouble(Cause.SILENT, at(9_000), at(9_100)))
    assert judge(state, SILENT, NOW, RULES).messages


def test_it_remembers_over_a_restart(tmp_path: Path) -> None:
    state = judge(State(), CANARY, NOW, RULES).state
    keeping.save(tmp_path, state)
    assert keeping.load(tmp_path) == state
    (tmp_path / keeping.FILE).write_text("{broken")
    assert keeping.load(tmp_path) == State()


def test_an_acknowledgement_needs_a_trouble_and_is_taken_once(tmp_path: Path) -> None:
    with pytest.raises(keeping.NoTrouble):
        keeping.acknowledge(tmp_path)
    keeping.save(tmp_path, judge(State(), CANARY, NOW, RULES).state)
    keeping.acknowledge(tmp_path)
    assert [keeping.take_acknowledgement(tmp_path) for _ in range(2)] == [True, False]


def test_two_never_run_on_one_file(tmp_path: Path) -> None:
    assert keeping.runs(tmp_path) is False
    with keeping.only_one(tmp_path):
        assert keeping.runs(tmp_path) is True
        with pytest.raises(keeping.WatchdogRuns), keeping.only_one(tmp_path):
            pass
    assert keeping.runs(tmp_path) is False


@pytest.mark.parametrize(("kind", "cause", "language"), list(product(Kind, Cause, Language)))
def test_every_text_is_one_part_and_says_what_a_call_says(kind: Kind, cause: Cause, language: Language) -> None:
    message = Message(kind, (FIRST,), True, cause, ("broker", "database", "provider"), NOW)
    text = text_of(message, language, "city-of-xinyang-west", ZoneInfo("Asia/Shanghai"))
    assert one_part(text), text
    assert "{" not in text + speech_of(message, language)
    assert speech_of(message, language) or kind is Kind.WELL
    if kind is Kind.TROUBLE:
        assert "11:12" in text, "local time"


def test_settings_name_numbers_and_a_second_account(tmp_path: Path) -> None:
    told = load_settings({**ENVIRON, "GENGFU_HTTP_HOST": "0.0.0.0", "GENGFU_DATA_DIR": str(tmp_path)}, tmp_path)
    made = watch_of(told)
    assert made.rules == RULES
    assert (made.url, made.folder) == ("http://127.0.0.1:8000", tmp_path)
    assert "hush" not in repr(told) + repr(made)
    assert "hush-watchdog" in told.secrets()
    for key, value in (("PHONES", "12"), ("PHONES", " ,"), ("TWILIO__FROM_NUMBER", "MG123"), ("URL", "ftp://x")):
        with pytest.raises(SettingsError, match=f"GENGFU_WATCHDOG__{key}"):
            load_settings({**ENVIRON, f"GENGFU_WATCHDOG__{key}": value}, tmp_path)
    with pytest.raises(NoWatchdog, match="GENGFU_WATCHDOG__PHONES"):
        watch_of(load_settings({}, tmp_path))


def test_the_doctor_warns_where_nobody_watches(tmp_path: Path) -> None:
    own = {
        "GENGFU_TWILIO__ACCOUNT_SID": "AC2",
        "GENGFU_TWILIO__AUTH_TOKEN": "t",
        "GENGFU_TWILIO__FROM_NUMBER": "+15550100",
    }
    here = {"GENGFU_DATA_DIR": str(tmp_path)}
    none = watchdog_finding(load_settings(here, tmp_path))
    same = watchdog_finding(load_settings({**here, **ENVIRON, **own}, tmp_path))
    idle = watchdog_finding(load_settings({**here, **ENVIRON}, tmp_path))
    with keeping.only_one(tmp_path):
        fine = watchdog_finding(load_settings({**here, **ENVIRON}, tmp_path))
    assert [(each.ok, each.warns) for each in (none, same, idle, fine)] == [(True, True)] * 3 + [(True, False)]
    assert "GENGFU_WATCHDOG__PHONES" in none.sentence
    assert "gengfu watchdog" in idle.sentence


def test_nothing_is_written_where_nothing_may_be(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        keeping.save(tmp_path / "no" / "folder", State())
    assert os.listdir(tmp_path) == []
    assert replace(Judged(State())).messages == ()


def test_its_unit_never_gives_up_and_hangs_on_no_other() -> None:
    unit = (ROOT / "deploy" / "systemd" / "gengfu-watchdog.service").read_text()
    lines = [line for line in unit.splitlines() if line and not line.startswith("#")]
    assert {"Restart=always", "StartLimitIntervalSec=0"} <= set(lines)
    assert any(line.startswith("ExecStart=") and line.endswith("/gengfu watchdog") for line in lines)
    assert not any(word in line for line in lines for word in ("gengfu.service", "mosquitto.service", "postgresql"))
