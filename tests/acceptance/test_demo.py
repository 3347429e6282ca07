"""The demonstration plays every story on real parts, judges it honestly, and leaves nothing behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from devices.model import Channel, Language, Role
from gengfu.demo import run
from gengfu.demo.judge import Difference, Wrong, judge
from gengfu.demo.playing import play
from gengfu.demo.steps import ARRIVALS, Step, StepKind
from gengfu.demo.words import PHRASES, REASONS, role
from gengfu.demo.wrapping import wrap
from gengfu.demo_options import DemoOptions
from simulators.scenario import Expect, Expected, Order, Result, load_scenario

ROOT = Path(__file__).resolve().parents[2]
fast = 40.0
end_s_max = 5.0
KEYS = ["step", "ms", "incident", "recipient", "channel", "text"]


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every temporary file of the demonstration is made here."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    for name in [name for name in os.environ if name.startswith("GENGFU_")]:
        monkeypatch.delenv(name)
    return folder


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


STORIES = {
    "flat_fire": (
        "3栋2单元12层1201客厅",
        "短信已受理",
        "电话已受理",
        "应用消息已送达",
        "接听电话",
        "按 1",
        "网格员甲前往",
    ),
    "shed_overheat": ("充电过温：金鼎花园充电车棚", "手机响铃", "在应用中点了“前往”", "停止响铃", "网格员甲前往"),
    "nobody_on_duty": ("第1步（网格员、", "第2步（副手）：无人值班", "第4步（社区书记、主任）：", "社区值班员前往"),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_story_holds_and_is_told(name: str, capsys: pytest.CaptureFixture[str], own_temporary_folder: Path) -> None:
    assert run(DemoOptions(name, headless=True, speed=fast)) == 0
    out = told(capsys)
    for words in (*STORIES[name], "做到了", "✓ 与剧本一致"):
        assert words in out
    assert "\x1b" not in out, "colour codes in a pipe"
    assert list(own_temporary_folder.iterdir()) == []


def test_the_english_demonstration_is_english(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENGFU_LANGUAGE", "en")
    assert run(DemoOptions("lift_ebike", headless=True, speed=fast)) == 0
    out = told(capsys)
    assert "taps" in out
    assert "Grid worker A goes" in out
    assert "the phone rings" not in out
    assert re.findall(r"[\u4e00-\u9fff]+", out) == []


def test_a_silent_provider_holds_up_one_step_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(DemoOptions("provider_outage", headless=True, speed=5.0)) == 0
    out = told(capsys)
    for words in ("故障开始", "没有应答（超时）", "无人应答，转下一步，通知网格员乙", "网格员乙前往", "2 条没有做到"):
        assert words in out


@pytest.mark.parametrize("language", Language)
def test_every_step_of_the_escalation_has_a_name(language: Language) -> None:
    assert all(role(language, each) for each in Role)


def test_without_mosquitto_the_embedded_broker_plays(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENGFU_BROKER_URL", "embedded:")
    assert run(DemoOptions(headless=True, speed=fast)) == 0
    assert told(capsys).count("内嵌消息代理：仅供演示") == 1


def test_a_false_expectation_fails_and_says_what_differs(
    capsys: pytest.CaptureFixture[str], own_temporary_folder: Path
) -> None:
    story = load_scenario()
    wanted = tuple(message for message in story.expect.messages if message.channel is not Channel.APP)
    sms_to_b = Expected(recipient="worker-b", channel=Channel.SMS, within_s=3.0)
    expect = replace(story.expect, messages=(*wanted, sms_to_b), taken_by="worker-b")
    options = DemoOptions(headless=True, speed=fast)
    assert play(options, replace(story, lasts_s=4.0, expect=expect), Language.ZH_CN) == 1
    out = told(capsys)
    assert "✗ 与剧本不一致" in out
    assert "网格员乙没有收到短信" in out
    assert re.search(r"网格员甲在 \d+ ms 收到多余的应用", out)
    assert "网格员乙没有确认前往" in out
    (log,) = own_temporary_folder.iterdir()
    assert str(log) in out.replace("\n", "")
    assert "alarm lane connected" in log.read_text(encoding="utf-8")


def demo(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gengfu", "demo", "--json", *arguments]


def parsed(lines: Sequence[str]) -> list[dict[str, object]]:
    rows = [json.loads(line) for line in lines]
    assert all(list(row) == KEYS for row in rows)
    return rows


def test_json_is_one_object_per_step_and_nothing_else() -> None:
    done = subprocess.run(
        demo("--headless", "--speed", "40"), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    rows = parsed(done.stdout.splitlines())
    times = [row["ms"] for row in rows]
    assert times == sorted(times, key=lambda ms: float(str(ms)))
    assert times[0] == 0
    seen = [(row["step"], row["recipient"], row["channel"]) for row in rows]
    assert seen[0] == ("published", None, None)
    assert seen[-1] == ("held", None, None)
    for channel in Channel:
        assert seen.count(("provider_accepted", "worker-a", channel.value)) == 1
    order = [row["step"] for row in rows]
    wanted = ["published", "committed", "answered", "key_pressed", "taken"]
    assert [step for step in order if step in wanted] == wanted
    (key,) = [row["text"] for row in rows if row["step"] == "key_pressed"]
    assert key == "1"
    assert len({row["incident"] for row in rows} - {None}) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end(number: signal.Signals, own_temporary_folder: Path) -> None:
    child = subprocess.Popen(
        demo("--speed", "40"), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        assert child.stdout is not None
        assert child.stderr is not None
        (serving,) = parsed([next(line for line in child.stdout if '"step":"serving"' in line)])
        key = child.stderr.readline().split()[-1]
        request = urllib.request.Request(
            f"{serving['text']}/api/v1/incidents", headers={"authorization": f"Bearer {key}"}
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            (incident,) = json.load(answer)["items"]
        assert incident["work"] == "taken"
        children = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text(encoding="ascii").split()
        assert children, "there is no mosquitto"
        began = time.monotonic()
        child.send_signal(number)
        assert child.wait(end_s_max) == 0
        assert time.monotonic() - began < end_s_max
        assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []
        assert list(own_temporary_folder.iterdir()) == []
    finally:
        child.kill()
        child.communicate()


def test_both_languages_have_all_words() -> None:
    assert PHRASES[Language.ZH_CN].keys() == PHRASES[Language.EN].keys()
    assert REASONS[Language.ZH_CN].keys() == REASONS[Language.EN].keys()
    for phrase, words in PHRASES[Language.ZH_CN].items():
        slots = sorted(re.findall(r"\{\w+\}", words))
        assert slots == sorted(re.findall(r"\{\w+\}", PHRASES[Language.EN][phrase])), phrase


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("金鼎花园，三栋", ["金鼎花", "园，三", "栋"]),
        ("警情 NED67：火", ["警情", "NED67", "：火"]),
        ("a bc defghijkl", ["a bc", "defghi", "jkl"]),
    ],
)
def test_lines_break_between_characters_but_not_before_a_comma(text: str, lines: list[str]) -> None:
    assert wrap(text, 6).split("\n") == lines


def message(
    ms: float, *, who: str = "worker-a", channel: Channel = Channel.SMS, purpose: str = "page", key: str = "1"
) -> list[Step]:
    """One message as the witnesses tell it: planned, taken by the provider, seen by the person."""
    arrival = next(kind for kind, by in ARRIVALS.items() if by is channel)
    base = Step(kind=StepKind.PLANNED, ms=ms, recipient=who, channel=channel, purpose=purpose, notification=f"n{key}")
    taken = replace(base, kind=StepKind.PROVIDER_ACCEPTED, purpose="", attempt=f"a{key}")
    seen = replace(base, kind=arrival, purpose="", notification="", attempt=f"a{key}")
    if channel is Channel.APP:
        seen = replace(base, kind=arrival, purpose=purpose)
    return [base, taken, seen]


COMMITTED = Step(kind=StepKind.COMMITTED, ms=5.0)
TAKEN = Step(kind=StepKind.TAKEN, ms=900.0, recipient="worker-a")
SMS = Expected(recipient="worker-a", channel=Channel.SMS, within_s=3.0)
CALL = Expected(recipient="worker-a", channel=Channel.VOICE, within_s=3.0)
EXPECT = Expect(messages=(SMS,), taken_by="worker-a", taken_within_s=1.0)
FINE = [COMMITTED, *message(20.0), TAKEN]


@pytest.mark.parametrize(
    ("expect", "steps", "wrong"),
    [
        (EXPECT, FINE, []),
        (EXPECT, [COMMITTED, *message(20.0)[:2], TAKEN], [Wrong.MISSING]),
        (EXPECT, [COMMITTED, message(20.0)[0], message(20.0)[2], TAKEN], [Wrong.MISSING]),
        (EXPECT, [COMMITTED, *message(3001.0), TAKEN], [Wrong.LATE]),
        (replace(EXPECT, messages=(replace(SMS, after_s=1.0),)), FINE, [Wrong.EARLY]),
        (EXPECT, [*FINE, *message(30.0, key="2")], [Wrong.UNEXPECTED]),
        (EXPECT, [*FINE, *message(30.0, key="2", purpose="update")], [Wrong.UNEXPECTED]),
        (EXPECT, [*FINE, *message(30.0, key="2", who="worker-b", channel=Channel.APP)], [Wrong.UNEXPECTED]),
        (replace(EXPECT, nothing_else=False), [*FINE, *message(30.0, key="2")], []),
        (EXPECT, FINE[:-1], [Wrong.NOT_TAKEN]),
        (EXPECT, [*FINE[:-1], replace(TAKEN, ms=1001.0)], [Wrong.TAKEN_LATE]),
        (EXPECT, [*FINE, replace(TAKEN, recipient="worker-b")], [Wrong.TAKEN_BY_OTHER]),
        (replace(EXPECT, taken_by=None), FINE, [Wrong.TAKEN_BY_OTHER]),
        (EXPECT, FINE[1:], [Wrong.INCIDENTS]),
        (EXPECT, [Step(kind=StepKind.PUBLISHED, ms=0.0, text="d fire.smoke raised"), *FINE], [Wrong.NO_RECEIPT]),
        (
            replace(EXPECT, messages=(CALL, SMS), order=Order.ORDERED),
            [*FINE, *message(30.0, key="2", channel=Channel.VOICE)],
            [Wrong.OUT_OF_ORDER],
        ),
        (
            replace(EXPECT, messages=(SMS, CALL, replace(CALL, outcome=Result.ANSWERED))),
            [*FINE, *message(30.0, key="2", channel=Channel.VOICE)],
            [Wrong.MISSING],
        ),
    ],
)
def test_the_judge(expect: Expect, steps: list[Step], wrong: list[Wrong]) -> None:
    assert [difference.wrong for difference in judge(expect, steps)] == wrong


def test_a_slower_story_has_more_time_and_a_faster_one_not_less() -> None:
    late = [COMMITTED, *message(3500.0), replace(TAKEN, ms=3600.0)]
    expect = replace(EXPECT, taken_within_s=3.0)
    assert judge(expect, late, speed=0.5) == []
    for speed in (1.0, 10.0):
        assert judge(expect, late, speed) == [
            Difference(Wrong.LATE, "worker-a", Channel.SMS, "provider_accepted", 3500.0, 3000.0),
            Difference(Wrong.TAKEN_LATE, "worker-a", ms=3600.0, limit_ms=3000.0),
        ]
