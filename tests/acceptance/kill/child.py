"""`gengfu serve` as a child process that can be watched, killed and ended; it never touches another process."""

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.kill.scene import Scene
from tests.support.processes import dies_with_parent

look_every_s = 0.01
start_seconds_max = 30.0
end_seconds_max = 15.0
connected_words = b"alarm lane connected"
last_lines = 15


class ServeBroken(AssertionError):
    """The child ended by itself, or did not do in time what it must."""


class Serve:
    """One life of the process. `module` is what `python -m` runs."""

    def __init__(self, scene: Scene, process: asyncio.subprocess.Process, log: Path, seen: int) -> None:
        self._scene = scene
        self._process = process
        self._log = log
        self._seen = seen

    @classmethod
    async def start(cls, scene: Scene, stop_at: str = "", module: str = "gengfu") -> "Serve":
        log = scene.folder / "serve.log"
        seen = log.stat().st_size if log.exists() else 0
        scene.diary.note("start")
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *dies_with_parent("KILL"),
                *(sys.executable, "-m", module, "serve"),
                cwd=scene.folder,
                env=scene.environment(stop_at),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        return cls(scene, process, log, seen)

    @property
    def stopped(self) -> bool:
        """The process has stopped itself: state T."""
        try:
            stat = Path(f"/proc/{self._process.pid}/stat").read_text()
        except FileNotFoundError:
            return False
        return stat.rpartition(")")[2].split()[0] == "T"

    @property
    def connected(self) -> bool:
        """It has told its log that alarms are being received."""
        with self._log.open("rb") as log:
            log.seek(self._seen)
            return connected_words in log.read()

    async def until_connected(self) -> None:
        """Wait until it receives alarms, or has stopped itself already."""
        await self._until(lambda: self.connected or self.stopped, "connected to the broker")
        self._scene.diary.note("connected")

    async def until_stopped(self) -> None:
        await self._until(lambda: self.stopped, "stopped at the named point")

    async def kill(self) -> None:
        """SIGKILL, and wait until the process is gone."""
        self._scene.diary.note("kill")
        self._process.kill()
        await self._process.wait()
        assert self._process.returncode == -signal.SIGKILL

    async def end(self) -> None:
        """SIGTERM: it must leave by itself with exit code 0."""
        self._scene.diary.note("end")
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), end_seconds_max)
        except TimeoutError:
            raise ServeBroken(f"serve did not end within {end_seconds_max} s: {self.last_words()}") from None
        if self._process.returncode != 0:
            raise ServeBroken(f"serve ended with {self._process.returncode}: {self.last_words()}")

    async def put_down(self) -> None:
        """Whatever became of the test: the process does not outlive it."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def last_words(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-last_lines:])

    async def _until(self, true: Callable[[], bool], what: str) -> None:
        deadline = asyncio.get_running_loop().time() + start_seconds_max
        while not true():
            if self._process.returncode is not None:
                raise ServeBroken(f"serve ended by itself ({self._process.returncode}): {self.last_words()}")
            if asyncio.get_running_loop().time() > deadline:
                raise ServeBroken(f"serve was not {what} within {start_seconds_max} s: {self.last_words()}")
            await asyncio.sleep(look_every_s)
