""" "Also tell" lists: what they are told, and that nothing which happens to one delays anything."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from sys import modules
from zoneinfo import ZoneInfo

import pytest

from alerting.store.news import News
from devices.model import Language
from gengfu import also_tell
from gengfu.also_tell import TellList, said
from gengfu.settings import SettingsError, load_settings
from gengfu.settings_also_tell import EVENTS, Event

news = News(
    seq=7,
    at=datetime(2026, 3, 4, 19, 12, tzinfo=UTC),
    work="",
    who="网格员甲",
    reference="K7F3P",
    code="fire.smoke",
    place={"zh": "金鼎花园3栋", "en": "Jinding Garden B3"},
    drill=False,
)
shanghai = ZoneInfo("Asia/Shanghai")
address = "json://user:hush-apprise@127.0.0.1:9/"


def line(event: Event, language: Language = Language.ZH_CN, told: News = news) -> str:
    return said(told, event, language, shanghai)


def until(true: object, within_s: float = 5.0) -> None:
    """A thread of its own needs its moment."""
    ends = time.monotonic() + within_s
    while not true():  # type: ignore[operator]
        assert time.monotonic() < ends
        time.sleep(0.005)


def test_one_line_says_what_where_and_who() -> None:
    assert line("opened") == "烟雾报警，金鼎花园3栋，03:12，编号K7F3P"
    assert line("taken") == "网格员甲已前往：烟雾报警，金鼎花园3栋，编号K7F3P"
    assert line("closed") == "已结束：烟雾报警，金鼎花园3栋，编号K7F3P"
    assert line("opened", Language.EN) == "smoke at Jinding Garden B3, 03:12. Ref K7F3P"
    exercise = News(1, news.at, "", "", "K7F3P", "no.such.code", {}, drill=True)
    assert line("taken", told=exercise) == "演练，有人员已前往：no.such.code，，编号K7F3P"


def test_a_list_that_hangs_fills_its_own_queue_and_delays_nobody() -> None:
    release = threading.Event()

    def hang(title: str, body: str) -> bool:
        release.wait(30)
        return True

    slow, quick = TellList("slow", EVENTS, hang), TellList("quick", EVENTS, lambda title, body: True)
    for each in (slow, quick):
        each.start()
    started = time.monotonic()
    for n in range(also_tell.queue_max + 11):
        slow.offer("t", str(n))
        if n < also_tell.queue_max:
            quick.offer("t", str(n))
    assert time.monotonic() - started < 10.0
    until(lambda: quick.counters.handed_over == also_tell.queue_max)
    assert slow.counters.dropped in (10, 11)  # the one that hangs may have left the queue by then
    assert slow.counters.handed_over == 0
    release.set()
    until(lambda: slow.counters.handed_over + slow.counters.dropped == also_tell.queue_max + 11)
    for each in (slow, quick):
        each.stop()


def test_what_a_list_refuses_or_breaks_on_is_counted_and_the_next_one_goes() -> None:
    answers = iter((False, ValueError("hush"), True))

    def send(title: str, body: str) -> bool:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    each = TellList("one", EVENTS, send)
    each.start()
    for n in range(3):
        each.offer("t", str(n))
    until(lambda: each.counters.handed_over == 1)
    assert (each.counters.refused, each.counters.dropped) == (2, 0)
    each.stop()


def refusal(folder: Path, toml: str) -> str:
    (folder / "gengfu.toml").write_text(toml, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings({}, folder)
    assert "hush" not in str(caught.value)
    return str(caught.value)


def test_a_list_is_a_name_an_address_and_events(tmp_path: Path) -> None:
    toml = f'[[also_tell]]\nname = "managers"\nurl = "{address}"\nevents = ["opened"]\n'
    (tmp_path / "gengfu.toml").write_text(toml, encoding="utf-8")
    settings = load_settings({}, tmp_path)
    (managers,) = settings.also_tell
    assert (managers.name, managers.events) == ("managers", ("opened",))
    assert address in settings.secrets()
    assert "hush" not in repr(settings)


def test_what_apprise_does_not_know_is_refused_without_being_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = refusal(tmp_path, '[[also_tell]]\nname = "managers"\nurl = "nonsense://hush"\n')
    assert "also_tell[0].url" in wrong
    assert "Apprise knows" in wrong
    assert "hush" not in caplog.text
    twice = f'[[also_tell]]\nname = "a"\nurl = "{address}"\n' * 2
    assert "twice" in refusal(tmp_path, twice)
    bad_event = f'[[also_tell]]\nname = "a"\nurl = "{address}"\nevents = ["everything"]\n'
    assert "also_tell[0].events[0]" in refusal(tmp_path, bad_event)


def test_without_the_extra_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(modules, "apprise", None)
    wrong = refusal(tmp_path, f'[[also_tell]]\nname = "managers"\nurl = "{address}"\n')
    assert "pip install 'gengfu[apprise]'" in wrong
