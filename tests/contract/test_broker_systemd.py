"""What stands in deploy/systemd: units that fit together, and a script that reloads a real mosquitto when it must."""

import asyncio
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.mosquitto import BrokerUnderTest, Login
from tests.support.mqtt import Probe, Refused

UNITS = Path(__file__).resolve().parents[2] / "deploy" / "systemd"
SCRIPT = UNITS / "gengfu-broker-reload"


async def _look(broker: BrokerUnderTest, state: Path, *command: str) -> int:
    what = command or ("/bin/kill", "-HUP", str(broker.child.pid))
    running = await asyncio.create_subprocess_exec(SCRIPT, broker.child.directory, state, *what)
    return await running.wait()


def _reloads(broker: BrokerUnderTest) -> int:
    return broker.child.log_path.read_text().count("Reloading config")


async def test_a_revoked_device_is_cut_and_unchanged_files_are_not_read_again(
    mosquitto: BrokerUnderTest, tmp_path: Path
) -> None:
    state = tmp_path / "seen"
    device, other = await mosquitto.add_devices(["smoke-0001", "smoke-0002"])
    assert await _look(mosquitto, state) == 0
    lines = [await Probe.connect(mosquitto.port, login) for login in (device, other)]
    before = _reloads(mosquitto)
    assert await _look(mosquitto, state) == 0
    assert _reloads(mosquitto) == before

    mosquitto.forget("smoke-0001")
    assert await _look(mosquitto, state) == 0
    await asyncio.wait_for(lines[0].closed.wait(), 5)
    assert not lines[1].closed.is_set()
    assert _reloads(mosquitto) == before + 1
    with pytest.raises(Refused):
        await Probe.connect(mosquitto.port, device)
    for line in lines:
        await line.close()


async def test_what_is_written_while_it_runs_is_reloaded_too(mosquitto: BrokerUnderTest, tmp_path: Path) -> None:
    """The path unit does not look while the service runs."""
    state = tmp_path / "seen"
    before = _reloads(mosquitto)
    running = asyncio.create_task(_look(mosquitto, state))
    async with asyncio.timeout(5):
        while not state.exists():  # noqa: ASYNC110 - a file calls nobody
            await asyncio.sleep(0.01)
    late = Login.fresh("smoke-0003")
    mosquitto.know(late)
    assert await running == 0
    assert _reloads(mosquitto) == before + 2
    await (await Probe.connect(mosquitto.port, late)).close()


async def test_a_reload_that_failed_is_tried_again(mosquitto: BrokerUnderTest, tmp_path: Path) -> None:
    state = tmp_path / "seen"
    assert await _look(mosquitto, state, "/bin/false") != 0
    before = _reloads(mosquitto)
    assert await _look(mosquitto, state) == 0
    assert _reloads(mosquitto) == before + 1


def _units() -> dict[str, str]:
    return {unit.name: unit.read_text() for unit in UNITS.iterdir() if unit.suffix in (".service", ".path", ".timer")}


def test_the_units_name_each_other_and_programs_that_are_there() -> None:
    units = _units()
    assert len(units) == 5
    for name, text in units.items():
        for wanted in re.findall(r"^Unit=(.+)$", text, re.MULTILINE):
            assert wanted in units, name
        for program in re.findall(r"^Exec\w+=/opt/gengfu/(deploy/\S+)", text, re.MULTILINE):
            assert os.access(UNITS.parents[1] / program, os.X_OK), program
    watched = set(
        re.findall(r"^PathChanged=/etc/gengfu/broker/(.+)$", units["gengfu-broker-reload.path"], re.MULTILINE)
    )
    assert watched == {"passwords", "acl"}
    assert SCRIPT.name in units["gengfu-broker-reload.service"]


def test_systemd_itself_understands_them_where_there_is_one(tmp_path: Path) -> None:
    for name, text in _units().items():
        text = text.replace("/opt/gengfu/.venv/bin/gengfu", "/bin/true").replace("/opt/gengfu", str(UNITS.parents[1]))
        (tmp_path / name).write_text(text)
    (tmp_path / "mosquitto.service").write_text("[Service]\nExecStart=/bin/true\n")
    verifier = shutil.which("systemd-analyze") or "/bin/true"
    done = subprocess.run([verifier, "verify", *_units()], cwd=tmp_path, capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "gengfu" in line]
    assert (done.returncode, ours) == (0, []), done.stderr
