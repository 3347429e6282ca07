"""Messages of our own dialect that must be understood, and what each must mean."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from devices.decode import decode
from devices.signals import RawMessage, Scalar, SignalKind, Uplink

RECEIVED = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def raw(part: str, payload: object, device: str = "smoke-0001", retained: bool = False) -> RawMessage:
    data = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
    return RawMessage(f"gengfu/v1/{device}/up/{part}", data, RECEIVED, retained)


def event(**fields: Any) -> dict[str, Any]:
    return {"event_id": "b1-7", "code": "fire.smoke", "state": "raised", **fields}


def read(part: str, payload: object, **options: Any) -> Uplink:
    uplink = decode(raw(part, payload, **options))
    assert isinstance(uplink, Uplink), uplink
    return uplink


@dataclass(frozen=True)
class Good:
    part: str
    payload: object
    signal: SignalKind
    code: str | None = None
    values: dict[str, Scalar] | None = None
    event_id: str | None = "b1-7"


GOOD = {
    "alarm": Good("event", event(), SignalKind.ALARM, "fire.smoke"),
    "supervisory": Good("event", event(code="lane.blocked"), SignalKind.SUPERVISORY, "lane.blocked"),
    "trouble": Good("event", event(code="device.low_battery"), SignalKind.TROUBLE, "device.low_battery"),
    "restoral": Good("event", event(state="restored"), SignalKind.RESTORAL, "fire.smoke"),
    "self test": Good("event", event(code="device.test"), SignalKind.TEST, "device.test"),
    "all well": Good("event", event(code="device.restore"), SignalKind.RESTORAL, "device.restore"),
    "heartbeat event": Good("event", event(code="device.heartbeat"), SignalKind.HEARTBEAT, "device.heartbeat"),
    "values": Good(
        "event",
        event(values={"temperature_c": 71.5, "place": "客厅", "charging": True, "n": 3, "none": None}),
        SignalKind.ALARM,
        "fire.smoke",
        {"temperature_c": 71.5, "place": "客厅", "charging": True, "n": 3, "none": None},
    ),
    "media": Good(
        "event",
        event(code="ebike.in_elevator", media=[{"url": "https://cam.invalid/1.jpg"}]),
        SignalKind.ALARM,
        "ebike.in_elevator",
        {"media_url": "https://cam.invalid/1.jpg"},
    ),
    "unknown keys": Good("event", event(vendor={"deep": [1, 2]}), SignalKind.ALARM, "fire.smoke"),
    "longest id": Good("event", event(event_id="火" * 64), SignalKind.ALARM, "fire.smoke", event_id="火" * 64),
    "colons in texts": Good(
        "event", event(values={"note": "a:b:c"}), SignalKind.ALARM, "fire.smoke", {"note": "a:b:c"}
    ),
    "200 keys": Good(
        "event",
        event(values={f"v{n}": n for n in range(196)}),
        SignalKind.ALARM,
        "fire.smoke",
        {f"v{n}": n for n in range(196)},
    ),
    "telemetry": Good(
        "telemetry",
        {"values": {"t": 1.5}, "battery": 87, "rssi": -71},
        SignalKind.TELEMETRY,
        values={"t": 1.5, "battery": 87, "rssi": -71},
        event_id=None,
    ),
    "heartbeat": Good("heartbeat", b"{}", SignalKind.HEARTBEAT, event_id=None),
    "rich heartbeat": Good("heartbeat", {"battery": 5.5}, SignalKind.HEARTBEAT, values={"battery": 5.5}, event_id=None),
    "online": Good("status", b"online", SignalKind.HEARTBEAT, event_id=None),
    "Online, quoted": Good("status", b'"Online"\n', SignalKind.HEARTBEAT, event_id=None),
    "offline": Good("status", b"offline", SignalKind.TROUBLE, "device.offline", event_id=None),
    "offline, quoted": Good("status", b'"offline"', SignalKind.TROUBLE, "device.offline", event_id=None),
    "command answer": Good(
        "command",
        {"command_id": "c1", "result": "done"},
        SignalKind.TELEMETRY,
        values={"command_id": "c1", "result": "done", "detail": ""},
        event_id=None,
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_good_message(name: str) -> None:
    want = GOOD[name]
    uplink = read(want.part, want.payload)
    (reading,) = uplink.readings
    assert (reading.signal, reading.code) == (want.signal, want.code)
    assert dict(reading.values) == (want.values or {})
    assert (uplink.device_key, uplink.dialect, uplink.codec) == ("smoke-0001", "plain", "gengfu_plain")
    assert uplink.event_id == want.event_id
    assert bool(uplink.content_hash) == (want.event_id is not None)


CLOCKS: dict[str, tuple[object, datetime | None]] = {
    "zulu": ("2026-11-23T07:59:58.123456789Z", datetime(2026, 11, 23, 7, 59, 58, 123456, UTC)),
    "offset": ("2026-11-23T15:59:58+08:00", datetime(2026, 11, 23, 7, 59, 58, tzinfo=UTC)),
    "small letters": ("2026-11-23t07:59:58z", datetime(2026, 11, 23, 7, 59, 58, tzinfo=UTC)),
    "never set": ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
    "far future": ("9999-12-31T23:59:59-12:00", None),
    "no zone": ("2026-11-23T15:59:58", None),
    "words": ("yesterday", None),
    "leap second": ("2026-12-31T23:59:60Z", None),
    "empty": ("", None),
    "number": (1795420798, None),
    "huge number": (10**300, None),
    "object": ({"s": 1}, None),
}


@pytest.mark.parametrize("name", CLOCKS)
def test_no_clock_loses_the_alarm(name: str) -> None:
    observed_at, want = CLOCKS[name]
    uplink = read("event", event(observed_at=observed_at))
    assert uplink.readings[0].signal is SignalKind.ALARM
    assert uplink.observed_at == want
    assert uplink.readings[0].values.get("clock") == ("unreadable" if want is None else None)
    assert uplink.content_hash == read("event", event()).content_hash


@pytest.mark.parametrize("payload", [event(), event(observed_at=None)])
def test_a_device_without_a_clock_gets_no_remark(payload: dict[str, Any]) -> None:
    uplink = read("event", payload)
    assert uplink.observed_at is None
    assert uplink.readings[0].values == {}


def test_a_test_bit_beside_an_alarm_leaves_it_an_alarm_marked() -> None:
    uplink = read("event", event(test=True))
    assert uplink.test
    assert uplink.readings[0].signal is SignalKind.ALARM
    assert not read("event", event(test=False)).test


@pytest.mark.parametrize("retained", [True, False])
def test_the_retained_flag_is_passed_on(retained: bool) -> None:
    assert read("event", event(), retained=retained).retained is retained


def test_the_content_hash_is_about_meaning_only() -> None:
    first = event(values={"a": 1, "b": 2}, media=[{"url": "https://cam.invalid/1?sig=x"}])
    again = {**dict(reversed(first.items())), "values": {"b": 2, "a": 1}, "observed_at": "1970-01-01T00:00:00Z"}
    again["media"] = [{"url": "https://cam.invalid/1?sig=y"}]
    assert read("event", first).content_hash == read("event", again).content_hash
    others = [
        event(values={"a": 1, "b": 3}),
        event(values={"a": 1, "b": 2}, test=True),
        event(values={"a": 1, "b": 2}, state="restored"),
        event(values={"a": 1, "b": 2}, code="fire.heat"),
    ]
    hashes = {read("event", other).content_hash for other in others}
    assert len(hashes) == len(others)
    assert read("event", first).content_hash not in hashes


@pytest.mark.parametrize("device", ["abcd", "A" * 64, "a-_9"])
def test_device_names_at_the_limits(device: str) -> None:
    assert read("heartbeat", b"{}", device=device).device_key == device
