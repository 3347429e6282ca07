"""`gengfu decode`: what a payload means, as JSON, whatever the payload."""

import json
from typing import Any

import pytest

from tests.contract.cli_support import Shell

pytest_plugins = ["tests.contract.cli_fixtures"]

TOPIC = "gengfu/v1/smoke-0001/up/event"
EVENT = {"event_id": "boot-7-1", "code": "fire.smoke", "state": "raised", "values": {"smoke_db_per_m": 0.42}}


def meaning(shell: Shell, payload: object, *words: str) -> Any:
    """The object printed for one payload on standard input."""
    sent = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    (line,) = shell.ok("decode", *words, "-", stdin=sent)
    return json.loads(line)


def test_an_alarm_with_its_topic(shell: Shell) -> None:
    told = meaning(shell, EVENT, "--topic", TOPIC)
    assert (told["dialect"], told["codec"], told["device_key"]) == ("plain", "gengfu_plain", "smoke-0001")
    reading = {"signal": "alarm", "code": "fire.smoke", "values": {"smoke_db_per_m": 0.42}}
    assert (told["readings"], told["error"]) == ([reading], None)


def test_a_file_without_its_topic_is_read_by_its_shape_and_names_no_device(shell: Shell) -> None:
    (shell.folder / "alarm.json").write_text(json.dumps(EVENT | {"state": "restored"}))
    (line,) = shell.ok("decode", "alarm.json")
    told = json.loads(line)
    assert (told["device_key"], told["event_id"], told["error"]) == (None, "boot-7-1", None)
    assert [(each["signal"], each["code"]) for each in told["readings"]] == [("restoral", "fire.smoke")]


@pytest.mark.parametrize(
    ("payload", "signal"),
    [
        ({"values": {"temperature_c": 20.5}}, "telemetry"),
        ({}, "heartbeat"),
        (b"online", "heartbeat"),
        (b"offline", "trouble"),
        ({"command_id": "c1", "result": "done"}, "telemetry"),
        ({"event_id": "t", "code": "device.test", "state": "raised"}, "test"),
        ({"event_id": "s", "code": "charge.full_not_unplugged", "state": "raised"}, "supervisory"),
    ],
)
def test_shapes_of_our_own_dialect(shell: Shell, payload: object, signal: str) -> None:
    told = meaning(shell, payload)
    assert [each["signal"] for each in told["readings"]] == [signal], told


@pytest.mark.parametrize(
    ("payload", "words", "reason"),
    [
        (b"\xff\xfe", (), "not_utf8"),
        (b"{", ("--topic", TOPIC), "not_json"),
        (b"[" * 100_000, ("--topic", TOPIC), "too_large"),
        (b"[" * 1_000, (), "too_deep"),
        (EVENT | {"code": "fire.dragon"}, ("--topic", TOPIC), "unknown_code"),
        (EVENT, ("--topic", "somebody/else"), "unknown_topic"),
        (EVENT, ("--source", "morse"), "unknown_dialect"),
    ],
)
def test_what_cannot_be_read_carries_its_error(
    shell: Shell, payload: object, words: tuple[str, ...], reason: str
) -> None:
    told = meaning(shell, payload, *words)
    assert told["error"]["reason"] == reason
    assert (told["readings"], told["codec"]) == ([], None)
    assert told["device_key"] in (None, "smoke-0001")


def test_many_lines_each_for_itself(shell: Shell) -> None:
    lines = [
        json.dumps({"topic": TOPIC, "payload": EVENT}),
        json.dumps({"topic": TOPIC, "payload": json.dumps(EVENT)}),
        json.dumps({"source": "plain", "topic": "gengfu/v1/plug-0001/up/status", "payload": "offline"}),
        "no JSON",
        '{"topic": 5, "payload": {}}',
        '["payload"]',
        json.dumps({"topic": TOPIC, "payload": float("nan")}),
        "",
        json.dumps({"source": "morse", "topic": "x", "payload": "..."}),
    ]
    (shell.folder / "many.jsonl").write_text("\n".join(lines), encoding="utf-8")
    told = [json.loads(line) for line in shell.ok("decode", "--jsonl", "many.jsonl")]
    assert [each["device_key"] for each in told[:3]] == ["smoke-0001", "smoke-0001", "plug-0001"]
    assert [each["error"] for each in told[:3]] == [None] * 3
    assert told[0]["readings"] == told[1]["readings"]
    assert [each["error"]["reason"] for each in told[3:7]] == ["bad_line", "bad_line", "bad_line", "not_json"]
    assert len(told) == 8


def test_wrong_usage(shell: Shell) -> None:
    assert "--jsonl" in shell.refusal(2, "decode")
    assert "nowhere.json" in shell.refusal(2, "decode", "nowhere.json")
