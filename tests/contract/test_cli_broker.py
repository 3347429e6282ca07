"""Broker files, doctor and simulators from the command line, against a real mosquitto."""

import asyncio
import json
import re
from pathlib import Path

from sqlalchemy import Connection

from devices.model import Role, Shift
from devices.store import marks, people, shifts
from devices.store.shifts import ShiftRow
from gengfu.broker.child import MosquittoChild
from gengfu.clock import SystemClock
from gengfu.database import migrate
from gengfu.database.common import parse
from simulators.twilio import TwilioEmulator
from tests.contract.cli_support import Shell, fill
from tests.support.mosquitto import BrokerUnderTest, Login
from tests.support.mqtt import Probe

pytest_plugins = ["tests.contract.cli_fixtures"]

SOURCES = """
[[sources]]
name = "zig-east"
dialect = "plain"
filter = "zigbee2mqtt/#"
"""


async def test_the_rendered_files_let_in_service_devices_and_sources(on_sqlite: Shell, free_port: int) -> None:
    service = Login.fresh("gengfu-service")
    on_sqlite.environ["GENGFU_BROKER_URL"] = f"mqtt://{service.username}:{service.secret}@127.0.0.1:{free_port}"
    (on_sqlite.folder / "gengfu.toml").write_text(SOURCES)
    device = _login(await asyncio.to_thread(on_sqlite.ok, "device", "enrol", "--id", "smoke-0001", "--kind", "camera"))
    source = _login(await asyncio.to_thread(on_sqlite.ok, "broker", "files", "broker"))
    child = MosquittoChild(on_sqlite.folder / "broker", free_port)
    async with child:
        for login in (service, device, source):
            async with await Probe.connect(free_port, login, client_id=f"test-{login.username}", version=5) as line:
                if login is source:
                    assert await line.publish("zigbee2mqtt/x", b"{}") < 0x80
                    assert await line.publish("gengfu/v1/smoke-0001/up/event", b"{}") >= 0x80


def test_files_written_again_keep_what_still_holds(on_sqlite: Shell, free_port: int) -> None:
    on_sqlite.environ["GENGFU_BROKER_URL"] = "mqtt://gengfu-service:the-first-secret@127.0.0.1:1883"
    (on_sqlite.folder / "gengfu.toml").write_text(SOURCES)
    folder = on_sqlite.folder / "broker"
    on_sqlite.ok("broker", "files", "broker", "--port", str(free_port))
    before = _accounts(folder)
    on_sqlite.environ["GENGFU_BROKER_FILES_DIR"] = str(folder)
    on_sqlite.ok("device", "enrol", "--id", "smoke-0001", "--kind", "camera")
    after = _accounts(folder)
    assert set(after) - set(before) == {"smoke-0001"}
    assert {name: after[name] for name in before} == before
    assert f"listener {free_port} " in (folder / "mosquitto.conf").read_text()
    on_sqlite.environ["GENGFU_BROKER_URL"] = "mqtt://gengfu-service:another-secret@127.0.0.1:1883"
    assert on_sqlite.ok("broker", "files", "broker") == []
    assert _accounts(folder)["gengfu-service"] != before["gengfu-service"]
    on_sqlite.ok("device", "revoke", "smoke-0001")
    assert set(_accounts(folder)) == set(before)


def test_a_device_that_cannot_be_an_account_keeps_no_revoked_one_in(on_sqlite: Shell) -> None:
    """A foreign source was given the name of a device that was there before."""
    on_sqlite.environ["GENGFU_BROKER_URL"] = "mqtt://gengfu-service:the-first-secret@127.0.0.1:1883"
    on_sqlite.environ["GENGFU_BROKER_FILES_DIR"] = "broker"
    for device_id in ("zig-east", "smoke-0001", "smoke-0002"):
        on_sqlite.ok("device", "enrol", "--id", device_id, "--kind", "camera")
    (on_sqlite.folder / "gengfu.toml").write_text(SOURCES)
    on_sqlite.ok("device", "revoke", "smoke-0001")
    assert list(_accounts(on_sqlite.folder / "broker")) == ["gengfu-service", "zig-east", "smoke-0002"]
    assert "zig-east" in on_sqlite.run("broker", "files", "broker").err


def test_the_doctor_compares_the_files_with_the_registry(upgraded: Shell) -> None:
    def finding() -> list[str]:
        return [line for line in upgraded.run("doctor").lines if line.split()[1] == "accounts"]

    upgraded.environ["GENGFU_BROKER_URL"] = "mqtt://gengfu-service:the-first-secret@127.0.0.1:1"
    assert finding() == []
    upgraded.ok("device", "enrol", "--id", "smoke-0001", "--kind", "camera")
    upgraded.environ["GENGFU_BROKER_FILES_DIR"] = "broker"
    assert "gengfu broker files broker" in finding()[0]
    upgraded.ok("broker", "files", "broker")
    assert finding()[0].startswith("ok")
    del upgraded.environ["GENGFU_BROKER_FILES_DIR"]
    upgraded.ok("device", "revoke", "smoke-0001")  # on a machine that does not keep the files
    upgraded.environ["GENGFU_BROKER_FILES_DIR"] = "broker"
    (line,) = finding()
    assert line.startswith("fault")
    assert "smoke-0001" in line
    assert upgraded.run("doctor").code == 1


def test_broker_files_need_an_account_for_the_service(on_sqlite: Shell) -> None:
    for url in ("embedded:", "mqtt://127.0.0.1:1883"):
        on_sqlite.environ["GENGFU_BROKER_URL"] = url
        assert "GENGFU_BROKER_URL" in on_sqlite.refusal(1, "broker", "files", "broker")
    assert not (on_sqlite.folder / "broker").exists()


async def test_doctor_finds_nothing_wrong_with_a_city_ready(upgraded: Shell, mosquitto: BrokerUnderTest) -> None:
    fill(upgraded.database_url)
    on_call = Shift("s-on-call", Role.GRID_WORKER, "worker-a", "zjs-g2", None, None, None)
    migrate.run(parse(upgraded.database_url), lambda conn: shifts.insert_many(conn, [ShiftRow(on_call)]))
    upgraded.use_broker(mosquitto)
    async with account() as emulator:
        upgraded.environ |= twilio_environ(emulator) | {"GENGFU_PUBLIC_URL": "https://gengfu.example.org"}
        lines = await asyncio.to_thread(upgraded.ok, "doctor")
    names = ["broker", "database", "clock", "roster", "workers", "readiness", "self-test", "canary"]
    names += ["providers", "twilio", "twilio", "twilio", "callbacks", "https", "watchdog"]
    warned = {"canary", "watchdog"}  # no service has run yet, and nobody watches it
    told = [line.split(maxsplit=2)[2] for line in lines if line.split()[1] == "twilio"]
    assert [sentence.split(":")[0] for sentence in told] == [
        f"{about} (sms and voice)" for about in ("credentials", "account", "balance")
    ]
    assert [line.split()[:2] for line in lines] == [["warn" if name in warned else "ok", name] for name in names]
    assert "hush" not in "".join(lines)
    assert mosquitto.service.secret not in "".join(lines)


async def test_doctor_names_an_account_that_is_refused_and_a_number_that_cannot_be_reached(
    upgraded: Shell, mosquitto: BrokerUnderTest
) -> None:
    fill(upgraded.database_url)
    upgraded.use_broker(mosquitto)

    def refused(conn: Connection) -> None:
        number = people.contacts(conn, "worker-a")[0]
        marks.refuse(conn, number.channel, number.address, "twilio", marks.OPTED_OUT, SystemClock().now())

    migrate.run(parse(upgraded.database_url), refused)
    async with account() as emulator:
        upgraded.environ |= twilio_environ(emulator) | {"GENGFU_TWILIO__AUTH_TOKEN": "hush-another"}
        outcome = await asyncio.to_thread(upgraded.run, "doctor")
    assert outcome.code == 1
    faults = {line.split()[1]: line for line in outcome.lines if line.startswith("fault")}
    assert "GENGFU_TWILIO__ACCOUNT_SID" in faults["twilio"]
    assert "opted_out 1" in faults["readiness"]
    assert "hush" not in outcome.out + outcome.err


def account() -> TwilioEmulator:
    return TwilioEmulator(account_sid="AC" + "1" * 32, auth_token="hush-twilio", clock=SystemClock().now, time_scale=0)


def twilio_environ(emulator: TwilioEmulator) -> dict[str, str]:
    return {
        "GENGFU_TWILIO__ACCOUNT_SID": "AC" + "1" * 32,
        "GENGFU_TWILIO__AUTH_TOKEN": "hush-twilio",
        "GENGFU_TWILIO__FROM_NUMBER": "+15005550006",
        "GENGFU_TWILIO__BASE_URL": emulator.base_url,
    }


async def test_doctor_names_each_fault_with_its_remedy(on_sqlite: Shell, mosquitto: BrokerUnderTest) -> None:
    fill(on_sqlite.database_url)
    mosquitto.service = Login(mosquitto.service.username, "not the secret")
    on_sqlite.use_broker(mosquitto)
    on_sqlite.environ["GENGFU_HTTP_HOST"] = "0.0.0.0"
    outcome = await asyncio.to_thread(on_sqlite.run, "doctor")
    assert outcome.code == 1
    faults = {line.split()[1]: line for line in outcome.lines if line.startswith("fault")}
    assert set(faults) == {"broker", "roster", "providers", "https"}
    assert "gengfu broker files" in faults["broker"]
    assert "周家山第二网格" in faults["roster"]
    assert "GENGFU_TRUSTED_PROXIES" in faults["https"]


def test_doctor_without_database_and_broker(shell: Shell, free_port: int) -> None:
    shell.environ |= {
        "GENGFU_DATABASE_URL": f"postgresql+asyncpg://gengfu:hush-hush@127.0.0.1:{free_port}/x",
        "GENGFU_BROKER_URL": f"mqtt://gengfu-service:hush-hush@127.0.0.1:{free_port}",
    }
    outcome = shell.run("doctor")
    assert outcome.code == 1
    assert "hush" not in outcome.out + outcome.err
    faults = [line.split()[1] for line in outcome.lines if line.startswith("fault")]
    assert faults[:5] == ["broker", "database", "clock", "roster", "workers"]


async def test_a_fleet_publishes_what_it_was_asked_to(shell: Shell, mosquitto: BrokerUnderTest) -> None:
    listener = await Probe.connect(mosquitto.port, mosquitto.service, client_id="listener", version=5)
    await listener.subscribe("gengfu/v1/+/up/event")
    words = "fleet --devices 3 --rate 20 --duration 0.5 --telemetry 10 --no-until-receipt --json --code water.leak"
    (line,) = await asyncio.to_thread(shell.ok, "simulate", *words.split(), "--broker", mosquitto.url())
    told = json.loads(line)
    assert (told["alarms"], told["pubacks"], told["telemetry"], told["unsettled"]) == (10, 10, 5, 0)
    heard = [await listener.next() for _ in range(10)]
    assert {json.loads(each.payload)["code"] for each in heard} == {"water.leak"}
    assert {each.topic.split("/")[2] for each in heard} == {"sim-000001", "sim-000002", "sim-000003"}
    await listener.close()


async def test_a_fleet_without_receipts_is_a_fault(shell: Shell, mosquitto: BrokerUnderTest) -> None:
    shell.use_broker(mosquitto)
    words = "simulate fleet --devices 1 --rate 10 --duration 0.2 --settle 0.2"
    outcome = await asyncio.to_thread(shell.run, *words.split())
    assert outcome.code == 1
    assert re.search(r"unsettled +2\b", outcome.out)


async def test_a_story_is_told_until_its_receipt(shell: Shell, mosquitto: BrokerUnderTest) -> None:
    shell.use_broker(mosquitto)
    service = await Probe.connect(mosquitto.port, mosquitto.service, client_id="listener", version=5)
    await service.subscribe("gengfu/v1/+/up/event")
    telling = asyncio.create_task(asyncio.to_thread(shell.run, "simulate", "scenario", "flat_fire"))
    event = json.loads((await service.next()).payload)
    assert (event["code"], event["state"]) == ("fire.smoke", "raised")
    receipt = {"event_id": event["event_id"], "accepted_at": "2026-11-23T03:12:09Z"}
    await service.publish("gengfu/v1/jd-hy-3-2-1201-smoke/down/receipt", json.dumps(receipt).encode())
    outcome = await telling
    assert outcome.code == 0
    assert "device receipt" in outcome.lines[-1]
    await service.close()


async def test_a_story_that_nobody_hears_is_a_fault(shell: Shell, mosquitto: BrokerUnderTest) -> None:
    shell.use_broker(mosquitto)
    outcome = await asyncio.to_thread(shell.run, "simulate", "scenario", "flat_fire", "--wait", "0.3")
    assert outcome.code == 1
    assert "no receipt" in outcome.err


def test_what_cannot_be_simulated_is_refused(shell: Shell, free_port: int) -> None:
    assert "GENGFU_BROKER_URL" in shell.refusal(2, "simulate", "fleet")
    assert "flat_fire" in shell.refusal(2, "simulate", "scenario", "no_such_story")
    assert "--broker" in shell.refusal(2, "simulate", "fleet", "--broker", "host:1883")
    assert "fire.smoke" in shell.refusal(2, "simulate", "fleet", "--code", "fire.dragon")
    nobody = f"mqtt://a:hush-hush@127.0.0.1:{free_port}"
    assert "hush" not in shell.refusal(1, "simulate", "fleet", "--broker", nobody)
    assert len(shell.ok("simulate", "scenario", "--list")) >= 5


def _login(lines: list[str]) -> Login:
    """`username X` and `password Y` as printed."""
    words = dict(line.split(" ", 1) for line in lines)
    return Login(words["username"], words["password"])


def _accounts(folder: Path) -> dict[str, str]:
    return dict(line.split(":", 1) for line in (folder / "passwords").read_text().splitlines())
