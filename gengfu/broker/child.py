"""Runs one private mosquitto as a child process, from a folder that `render` filled.

It never touches a mosquitto it did not start, and never outlives its parent where util-linux is installed.
"""

import asyncio
import os
import random
import shutil
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from signal import SIGHUP, SIGTERM, Signals
from typing import Final, Self

from gengfu.broker.errors import BrokerUnavailable
from gengfu.broker.files import Account, SourceFilter, own_user, render

HOST: Final = "127.0.0.1"
PORTS: Final = range(20_000, 32_768)
port_tries_max: Final = 200
start_seconds_max: Final = 10.0
reload_seconds_max: Final = 60.0
stop_seconds_max: Final = 5.0
poll_seconds: Final = 0.005
launch_tries_max: Final = 3

_NAMELESS: Final = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x05\x00\x00"
"""A CONNECT of MQTT 3.1.1 without a name: turned away, but answered."""
_PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/sbin")


def mosquitto_executable() -> str | None:
    """The path of mosquitto, also where the sbin folders are not on PATH; None if there is none."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=os.pathsep.join(_PLACES))


def free_port() -> int:
    """A TCP port on loopback that was free a moment ago; another process may still take it.

    Below those that systems give to outgoing connections (Linux from 32768, others from 49152): one of these could
    take a listener's port while it is restarted.
    """
    for _ in range(port_tries_max):
        port = random.SystemRandom().choice(PORTS)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port
    raise BrokerUnavailable(f"No free TCP port was found between {PORTS.start} and {PORTS.stop - 1}.")


class MosquittoChild:
    """One mosquitto process. `port` and `directory` stay the same over restarts; so does what it persisted."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.port = port
        self.host = HOST
        self.log_path = directory / "mosquitto.log"
        self._process: asyncio.subprocess.Process | None = None

    @classmethod
    async def launch(
        cls,
        directory: Path,
        *,
        service: Account,
        devices: Iterable[Account] = (),
        sources: Iterable[Account] = (),
        filters: Sequence[SourceFilter] = (),
        template: str | None = None,
    ) -> Self:
        """Render `directory`, choose a free port and start. Raises BrokerUnavailable, BrokerFilesError."""
        accounts, senders = list(devices), list(sources)
        for tries_left in reversed(range(launch_tries_max)):
            port = free_port()
            render(
                directory,
                port=port,
                service=service,
                devices=accounts,
                sources=senders,
                filters=filters,
                template=template,
                broker_user=own_user(),
            )
            child = cls(directory, port)
            try:
                await child.start()
            except BrokerUnavailable as refusal:
                if tries_left == 0 or "Address already in use" not in str(refusal):
                    raise
            else:
                return child
        raise AssertionError("unreachable: the last try returns or raises")

    @property
    def user(self) -> str:
        """The system account it runs under: our own, as the folder is ours."""
        return own_user()

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """The process id. Raises BrokerUnavailable when nothing runs."""
        return self._alive().pid

    async def start(self) -> None:
        """Start and wait until connections are accepted. Raises BrokerUnavailable with mosquitto's own words."""
        executable = mosquitto_executable()
        if executable is None:
            raise BrokerUnavailable("mosquitto is not installed; on Debian: apt-get install mosquitto")
        if self.running:
            raise BrokerUnavailable(f"this mosquitto runs already, as process {self.pid}")
        seen = self._log_size()
        with self.log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *_dies_with_parent(),
                executable,
                "-c",
                str(self.directory / "mosquitto.conf"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if not await self._until(lambda: b" running" in self._log_since(seen), start_seconds_max):
            await self.kill()
            raise BrokerUnavailable(f"mosquitto did not start: {self._last_words(seen)}")
        await self._answers(start_seconds_max)

    async def reload(self) -> None:
        """Have passwords and access list read again; returns once new connections meet the new ones."""
        seen = self._log_size()
        self._send(SIGHUP)
        if not await self._until(lambda: b"Reloading config" in self._log_since(seen), reload_seconds_max):
            raise BrokerUnavailable(f"mosquitto did not read its files again: {self._last_words(seen)}")
        # mosquitto has one thread: who gets an answer now gets it after the files were read and clients were cut.
        await self._answers(reload_seconds_max)

    async def stop(self) -> None:
        """End in good order, so that everything is persisted; kill what does not end. Harmless when ended."""
        if not self.running:
            return
        process = self._alive()
        self._send(SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), stop_seconds_max)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """SIGKILL: what was not persisted yet is lost. Harmless when ended."""
        if not self.running:
            return
        process = self._alive()
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def restart(self) -> None:
        """Stop in good order and start again on the same port."""
        await self.stop()
        await self.start()

    async def __aenter__(self) -> Self:
        if not self.running:
            await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _alive(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            raise BrokerUnavailable("mosquitto is not running")
        return self._process

    def _send(self, signal: Signals) -> None:
        process = self._alive()
        with suppress(ProcessLookupError):
            process.send_signal(signal)

    async def _until(self, true: Callable[[], bool], seconds: float) -> bool:
        """Wait for a condition while the process lives; False if it ended or the time is over."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not true():
            if not self.running or asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(poll_seconds)
        return True

    async def _answers(self, seconds: float) -> None:
        """Wait for a word of mosquitto itself: the system takes connections for it while it is busy."""
        try:
            async with asyncio.timeout(seconds):
                reader, writer = await asyncio.open_connection(self.host, self.port)
                try:
                    writer.write(_NAMELESS)
                    await reader.read(1)
                finally:
                    writer.close()
                    with suppress(OSError):
                        await writer.wait_closed()
        except (OSError, TimeoutError) as failure:
            raise BrokerUnavailable(f"mosquitto runs but does not answer on port {self.port}") from failure

    def _log_size(self) -> int:
        return self.log_path.stat().st_size if self.log_path.exists() else 0

    def _log_since(self, position: int) -> bytes:
        with self.log_path.open("rb") as log:
            log.seek(position)
            return log.read()

    def _last_words(self, position: int) -> str:
        lines = self._log_since(position).decode(errors="replace").strip().splitlines()
        told = [line for line in lines if "Error" in line or "in use" in line] or lines[-1:]
        return "; ".join(told) or f"it said nothing; see {self.log_path}"


def _dies_with_parent() -> tuple[str, ...]:
    """A prefix that has the kernel end the child when we are killed, where util-linux offers one."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "TERM", "--") if setpriv else ()
