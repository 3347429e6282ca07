"""The mission's city through the import: time, memory, size on disk; then who is on duty for random devices.

Every program runs as a child of its own; nothing of it is kept. Never judges a figure.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks import cpu, registry_duty, stats
from benchmarks.child import ROOT
from benchmarks.databases import POSTGRESQL, SQLITE
from benchmarks.latency import FLOOR
from gengfu.database import migrate
from tests.support.postgres import PostgresCluster
from tests.support.processes import dies_with_parent

Row = dict[str, Any]
Told = Callable[[str], None]
watch_every_s = 0.05
CITY = "city"
GENGFU = ("-m", "gengfu")


class CommandFailed(Exception):
    """A child ended with a fault; its last words."""


def steps(kinds: Sequence[str]) -> int:
    """How often `told` is called."""
    return 2 + 2 * len(kinds)


async def run(kinds: Sequence[str], devices: int, told: Told) -> Row:
    """The files, the floor, then each kind of database: import, and duty of random devices."""
    (ROOT / ".run").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-registry-", dir=ROOT / ".run"))
    try:
        told(f"registry: files of a city with {devices:,} devices")
        files = folder / CITY
        result: Row = {"devices": devices, "written": await _written(files, devices, folder), "imports": []}
        rows = result["written"]["rows"]
        told(f"registry: floor, {rows:,} rows")
        result["imports"].append(await _floor(folder, files, rows))
        for kind in kinds:
            result["imports"].append(await _kind(kind, folder, files, rows, devices, told))
        return result
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _written(files: Path, devices: int, folder: Path) -> Row:
    words = (*GENGFU, "simulate", "city", str(files), "--devices", str(devices))
    figures = await _watched(words, folder, {})
    rows, size = await asyncio.to_thread(_rows_and_bytes, files)
    return {**figures, **_rates(rows, figures), "bytes": size}


def _rows_and_bytes(files: Path) -> tuple[int, int]:
    """Of all files together, without their headers. No cell of ours holds a line break."""
    made = list(files.glob("*.csv"))
    lines = 0
    for file in made:
        with file.open("rb") as opened:
            lines += sum(1 for _ in opened)
    return lines - len(made), sum(file.stat().st_size for file in made)


async def _floor(folder: Path, files: Path, rows: int) -> Row:
    database = folder / "floor.db"
    figures = await _watched(("-m", "benchmarks.registry_floor", str(files), str(database)), folder, {})
    size = database.stat().st_size
    database.unlink()
    return {"kind": FLOOR, **figures, **_rates(rows, figures), "database_bytes": size}


async def _kind(kind: str, folder: Path, files: Path, rows: int, devices: int, told: Told) -> Row:
    cluster = await asyncio.to_thread(PostgresCluster) if kind == POSTGRESQL else None
    try:
        if cluster is None:
            url, size = f"sqlite+aiosqlite:///{folder / 'gengfu.db'}", lambda: _sqlite_bytes(folder / "gengfu.db")
        else:
            name = await asyncio.to_thread(cluster.create)
            url, size = cluster.url(name), lambda: _postgres_bytes(cluster, name)
        await asyncio.to_thread(migrate.upgrade, url)
        told(f"registry: import of {rows:,} rows, {kind}")
        words = (*GENGFU, "registry", "import", str(files))
        figures = await _watched(words, folder, {"GENGFU_DATABASE_URL": url})
        told(f"registry: who is on duty for {registry_duty.asked:,} devices, {kind}")
        stored = await asyncio.to_thread(size)
        duty = await registry_duty.measure(url, devices)
        return {"kind": kind, **figures, **_rates(rows, figures), "database_bytes": stored, "duty": duty}
    finally:
        if cluster is not None:
            cluster.close()


def _sqlite_bytes(database: Path) -> int:
    return sum(file.stat().st_size for file in database.parent.glob(f"{database.name}*"))


def _postgres_bytes(cluster: PostgresCluster, name: str) -> int:
    cluster.run("VACUUM ANALYZE", name)
    return int(cluster.run(f"SELECT pg_database_size('{name}')"))


async def _watched(words: Sequence[str], folder: Path, settings: dict[str, str]) -> Row:
    """Run a Python module to its end: seconds, CPU seconds, the most memory it had. CommandFailed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GENGFU_")}
    log = folder / "log"
    with log.open("wb") as opened:
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *dies_with_parent("KILL"),
            *(sys.executable, *words),
            cwd=folder,
            env=kept | {"PYTHONPATH": str(ROOT), "GENGFU_SECRET_KEY": "a secret key of a benchmark"} | settings,
            stdin=DEVNULL,
            stdout=opened,
            stderr=opened,
        )
        peak, used = await _watch(process)
        seconds = time.monotonic() - began
    if process.returncode:
        raise CommandFailed(f"{' '.join(words)}: {(await asyncio.to_thread(log.read_text))[-2000:]}")
    return {"seconds": seconds, "cpu_seconds": used, "peak_bytes": peak}


async def _watch(process: Process) -> tuple[int, float]:
    """Its high-water mark and CPU seconds as last seen. The kernel's own figure after the end counts ours too."""
    peak, used = 0, 0.0
    ended = asyncio.ensure_future(process.wait())
    while not ended.done():
        with suppress(OSError, ValueError):  # it may have ended just now
            peak = max(peak, cpu.memory_bytes(process.pid, "VmHWM"))
            used = max(used, cpu.seconds_of(process.pid))
        await asyncio.wait({ended}, timeout=watch_every_s)
    return peak, used


def _rates(rows: int, figures: Row) -> Row:
    return {"rows": rows, "rows_per_s": stats.rate(rows, figures["seconds"])}


__all__ = ["POSTGRESQL", "SQLITE", "CommandFailed", "run", "steps"]
