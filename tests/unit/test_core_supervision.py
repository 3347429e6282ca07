"""When a device's silence is too long, and whose silence it is."""

from dataclasses import replace
from datetime import timedelta

import pytest

from alerting.core.supervision import (
    Gateway,
    Watched,
    Word,
    again_s,
    look,
    quiet_at,
    will_grace_s,
    window_of,
    window_s_default,
)
from tests.unit.builders import NOW, at

GRACE_S = 180
DAY_S = 86_400
LONG_AGO = at(-10 * DAY_S)
QUIET = Watched("smoke-1", 600, LONG_AGO, True, last_seen_at=at(-601))
UP = Gateway("gw-1", False, at(-1), at(599))
DOWN = replace(UP, offline=True, last_seen_at=at(-1200), quiet_at=at(-600))


def _word(device: Watched, listening_s: float = -10 * DAY_S) -> Word:
    return look(device, NOW, at(listening_s), GRACE_S).word


@pytest.mark.parametrize(
    ("own", "model", "kind", "window"),
    [
        (60, 600, "camera", 60),
        (None, 600, "camera", 600),
        (None, None, "camera", 900),
        (None, None, "teapot", window_s_default),
    ],
)
def test_the_nearest_window_counts(own: int | None, model: int | None, kind: str, window: int) -> None:
    assert window_of(own, model, kind) == window


@pytest.mark.parametrize(("silent_s", "word"), [(599, Word.ALIVE), (600, Word.OFFLINE), (90_000, Word.OFFLINE)])
def test_silent_for_its_window(silent_s: int, word: Word) -> None:
    assert _word(replace(QUIET, last_seen_at=at(-silent_s))) is word


@pytest.mark.parametrize(("listening_s", "word"), [(-1, Word.ALIVE), (-599, Word.ALIVE), (-600, Word.OFFLINE)])
def test_time_in_which_nobody_listened_does_not_count(listening_s: float, word: Word) -> None:
    assert _word(replace(QUIET, last_seen_at=at(-DAY_S)), listening_s) is word


@pytest.mark.parametrize(("listening_s", "word"), [(-179, Word.ALIVE), (-180, Word.OFFLINE)])
def test_a_short_window_waits_for_the_grace(listening_s: float, word: Word) -> None:
    assert _word(replace(QUIET, window_s=10), listening_s) is word


def test_a_new_device_or_another_window_has_its_whole_window() -> None:
    assert _word(replace(QUIET, since=at(-300))) is Word.ALIVE
    assert look(replace(QUIET, since=at(-300)), NOW, LONG_AGO, GRACE_S).look_at == at(300)


@pytest.mark.parametrize(("gone_s", "word"), [(will_grace_s - 1, Word.ALIVE), (will_grace_s, Word.OFFLINE)])
def test_a_last_will_counts_after_a_minute(gone_s: int, word: Word) -> None:
    assert _word(replace(QUIET, window_s=DAY_S, last_seen_at=at(-gone_s), online=False)) is word


def test_a_last_will_that_was_kept_by_the_broker_waits_for_the_grace_too() -> None:
    gone = replace(QUIET, window_s=DAY_S, last_seen_at=at(-5), online=False)
    assert quiet_at(DAY_S, LONG_AGO, gone.last_seen_at, False, at(-5), GRACE_S) == at(-5 + GRACE_S)


def test_a_clock_that_was_ahead_proves_no_life_for_ever() -> None:
    ahead = replace(QUIET, last_seen_at=at(3600))
    assert look(ahead, NOW, LONG_AGO, GRACE_S).look_at == at(600), "as if it had spoken now"


def test_it_speaks_again() -> None:
    silent = replace(QUIET, offline_since=at(-601))
    assert _word(silent) is Word.STILL
    back = look(replace(silent, last_seen_at=at(-1)), NOW, LONG_AGO, GRACE_S)
    assert (back.word, back.offline_since, back.look_at) == (Word.BACK, None, at(599))
    assert _word(replace(silent, last_seen_at=at(-1), online=False)) is Word.STILL, "its will is not its voice"


def test_behind_a_silent_gateway_it_is_the_gateways_trouble() -> None:
    behind = look(replace(QUIET, gateway=DOWN), NOW, LONG_AGO, GRACE_S)
    assert (behind.word, behind.behind, behind.offline_since) == (Word.BEHIND, "gw-1", at(-601))


def test_a_gateway_that_was_heard_after_it_clears_the_child_of_doubt() -> None:
    assert _word(replace(QUIET, gateway=UP)) is Word.OFFLINE


def test_a_gateway_as_silent_as_its_child_is_judged_first() -> None:
    quiet_too = replace(UP, last_seen_at=at(-700), quiet_at=at(200))
    waits = look(replace(QUIET, gateway=quiet_too), NOW, LONG_AGO, GRACE_S)
    assert waits.word is Word.WAITS
    assert at(200) < waits.look_at <= at(200) + timedelta(seconds=10)
    assert _word(replace(QUIET, gateway=replace(quiet_too, quiet_at=at(-1)))) is Word.OFFLINE, (
        "it does not wait for ever"
    )


def test_what_was_offline_before_its_gateway_folds_into_it() -> None:
    silent = replace(QUIET, offline_since=at(-601), gateway=DOWN)
    folded = look(silent, NOW, LONG_AGO, GRACE_S)
    assert (folded.word, folded.behind) == (Word.FOLDED, "gw-1")
    assert _word(replace(silent, behind="gw-1")) is Word.STILL, "once"


def test_when_the_gateway_is_back_each_child_has_a_whole_window() -> None:
    behind = replace(QUIET, offline_since=at(-601), behind="gw-1", gateway=UP)
    renewed = look(behind, NOW, LONG_AGO, GRACE_S)
    assert (renewed.word, renewed.look_at, renewed.since) == (Word.RENEWED, at(600), NOW)
    later = replace(behind, offline_since=None, behind=None, since=NOW)
    assert look(later, at(599), LONG_AGO, GRACE_S).word is Word.ALIVE
    assert (
        look(replace(later, gateway=replace(UP, last_seen_at=at(600))), at(600), LONG_AGO, GRACE_S).word is Word.OFFLINE
    )


def test_what_is_not_in_service_is_not_judged_and_begins_anew() -> None:
    unwatched = look(replace(QUIET, watched=False), NOW, LONG_AGO, GRACE_S)
    assert (unwatched.word, unwatched.since, unwatched.look_at) == (Word.UNWATCHED, NOW, at(again_s))
