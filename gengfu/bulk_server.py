"""Imports of a running service: a child process checks the files; what they change is written in short pieces between
the alarms, or by the child in one transaction (PostgreSQL). After a crash a begun import is written to its end.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection

from alerting.ports import Clock, Database, Ids, Priority
from devices.bulk.faults import Fault
from devices.bulk.files import FileRefused, import_bytes_max
from devices.model import Language
from devices.store import imports
from devices.store.bulk_apply import Position, apply_piece
from devices.store.bulk_stage import Stage
from devices.store.imports import ImportRow, State, Upload
from devices.store.scope import Scope
from gengfu.bulk import conclude, digest
from gengfu.bulk_gate import RegistryGate

log = logging.getLogger(__name__)

hold_seconds_wanted = 0.008
"""A piece is cut so that writing it takes about so long; the law is 20 ms."""
piece_rows_min, piece_rows_max, piece_rows_first = 10, 2_000, 50
plans_max = 3
"""So often is a plan made anew because somebody changed the registry meanwhile; the last time nobody may."""
told_every_s = 0.5
line_bytes_max = 16 * 1024 * 1024
FAULTS_AT_ONCE = 100


class Imports:
    """One import at a time. `folder`: where staging files lie, beside the database."""

    def __init__(
        self,
        database: Database,
        url: str,
        folder: Path,
        *,
        clock: Clock,
        ids: Ids,
        zone: str,
        registry_changed: Callable[[], None],
        reserved: frozenset[str] = frozenset(),
    ) -> None:
        self.database = database
        self._url = url
        self.folder = folder
        self._clock = clock
        self._ids = ids
        self._zone = zone
        self._registry_changed = registry_changed
        self._reserved = reserved
        self.gate = RegistryGate()
        self._task: asyncio.Task[None] | None = None
        self._starting = False
        self._current = ""

    async def resume(self) -> None:
        """At start: what was being written is written to its end, what was being checked is told as interrupted."""
        if self.database.dialect != "sqlite" and not await self._write_admin(imports.let_in):
            return  # another process is importing
        for row in await self.database.read(lambda conn: imports.in_state(conn, State.VALIDATING)):
            await self._end(row.id, State.REFUSED, refusal={"code": "interrupted", "names": {}})
        begun = await self.database.read(lambda conn: imports.in_state(conn, State.APPLYING))
        if begun:
            await self.gate.close()
            self._current = begun[0].id
            self._task = asyncio.create_task(self._guarded(begun[0], self._write(begun[0])))
        self._tidy({row.stage for row in begun if row.stage})

    async def close(self) -> None:
        """Stop after the piece at hand; a begun import goes on at the next start."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def begin(self, upload: Upload) -> str:
        """Start an import; its id. FileRefused when another one is at work, or a file is not there or too large."""
        if self._starting or not await self._free():
            raise FileRefused("busy")
        self._starting = True
        try:
            row = ImportRow(
                id=self._ids.uuid7(),
                created_at=self._clock.now(),
                actor_id=upload.who.id,
                actor=upload.who.name,
                via=upload.who.via,
                scope=upload.scope.paths,
                name=", ".join(name for _, name in upload.files),
                sha256=await asyncio.to_thread(_digest, upload.files),
                dry_run=upload.dry_run,
            )
            await self._write_admin(lambda conn: imports.add(conn, row))
            self._current = row.id
            self._task = asyncio.create_task(self._guarded(row, self._whole_import(row, upload)))
        finally:
            self._starting = False
        return row.id

    async def _free(self) -> bool:
        """No import is at work; one that has ended but for its last breath is waited for."""
        if self._task is None or self._task.done():
            return True
        row = await self.database.read(lambda conn: imports.get(conn, self._current))
        if row is None or row.ended_at is None:
            return False
        await asyncio.wait({self._task})
        return True

    @property
    def closed(self) -> bool:
        """An import is being written: the registry is not to be changed otherwise."""
        return self.gate.closed

    def writing(self) -> AbstractContextManager[None]:
        """Around another change of the registry. RegistryBusy while it is closed."""
        return self.gate.writing()

    async def finished(self) -> None:
        """Wait for the import at work, if there is one."""
        if self._task is not None:
            await asyncio.wait({self._task})

    async def export(self, path: Path, language: Language, scope: Scope) -> dict[str, int]:
        """The registry as a workbook at `path`, written by a child. How many rows each sheet has."""
        order = {"work": "export", "path": str(path), "language": language.value, "scope": scope.paths}
        result = await self._child(order, _ignore)
        counts: dict[str, int] = result["counts"]
        return counts

    async def _guarded(self, row: ImportRow, work: Any) -> None:
        """The top of an import's own task: whatever happens is told with the import."""
        try:
            await work
        except FileRefused as refused:
            names = {name: str(value) for name, value in refused.names.items()}
            await self._end(row.id, State.REFUSED, refusal={"code": refused.code, "names": names})
        except asyncio.CancelledError:
            raise
        except Exception as fault:  # a worker's top: the service must outlive an import
            log.exception("import %s failed", row.id)
            names = {"cause": type(fault).__name__}
            found = await self.database.read(lambda conn: imports.get(conn, row.id))
            if found is not None and found.state is State.VALIDATING:
                await self._end(row.id, State.REFUSED, refusal={"code": "failed", "names": names})
                self.gate.open()
            # One that was being written stays so, and the registry closed: the next start goes on with it.
        else:
            self.gate.open()

    async def _whole_import(self, row: ImportRow, upload: Upload) -> None:
        try:
            if self.database.dialect == "sqlite":
                await self._in_pieces(row, upload)
            else:
                await self._at_once(row, upload)
        finally:
            if upload.ours:
                _unlink(*(path for path, _ in upload.files))

    async def _at_once(self, row: ImportRow, upload: Upload) -> None:
        order = self._order(row, upload) | {"work": "whole", "id": row.id, "folder": str(self.folder)}
        result = await self._child(order, self._teller(row.id))
        if result["applied"]:
            self._registry_changed()

    async def _in_pieces(self, row: ImportRow, upload: Upload) -> None:
        stage = self.folder / f".gengfu-import-{row.id}"
        try:
            for attempt in range(1, plans_max + 1):
                if attempt == plans_max:
                    await self.gate.close()
                order = self._order(row, upload) | {"work": "stage", "stage": str(stage)}
                result = await self._child(order, self._teller(row.id))
                if result["faults"] or upload.dry_run or not result["changes"]:
                    state = State.REFUSED if result["faults"] else State.DONE
                    await self._record(row.id, stage, result)
                    await self._end(row.id, state)
                    break
                await self.gate.close()
                begun = await self._begin_writing(row, stage, result)
                if begun is not None:
                    await self._record(row.id, stage, result)
                    await self._write(begun)
                    return
                self.gate.open()
            else:
                raise FileRefused("changed")
        except BaseException:
            found = await self.database.read(lambda conn: imports.get(conn, row.id))
            if found is None or found.state is not State.APPLYING:
                _unlink(stage)
                self.gate.open()
            raise
        _unlink(stage)

    async def _begin_writing(self, row: ImportRow, stage: Path, result: dict[str, Any]) -> ImportRow | None:
        """From here on the import will be written, whatever crashes. None: the registry is not what was checked."""
        opened = Stage(stage, fresh=False)
        try:
            head = int(opened.said("head"))
        finally:
            opened.close()

        def work(conn: Connection) -> bool:
            if imports.registry_changed(conn, head):
                return False
            imports.change(conn, row.id, state=State.APPLYING.value, stage=str(stage), size=result["size"])
            return True

        if not await self._write_admin(work):
            return None
        return await self.database.read(lambda conn: imports.get(conn, row.id))

    async def _write(self, row: ImportRow) -> None:
        """Piece after piece from where it stands, each with its progress in one transaction; then the end of it."""
        assert row.stage is not None
        path = Path(row.stage)
        stage = Stage(path, fresh=False)  # a file that is gone fails here, and loudly
        at, limit = row.position, piece_rows_first
        try:
            while not at.done:
                at, written, held = await self._piece(row, stage, at, limit)
                if written == limit:
                    limit = max(piece_rows_min, min(piece_rows_max, int(limit * hold_seconds_wanted / max(held, 1e-4))))
                await asyncio.sleep(held / 2)
        finally:
            stage.close()
        await self._write_admin(lambda conn: conclude(conn, row.id, self._clock.now()))
        _unlink(path)
        self._registry_changed()

    async def _piece(self, row: ImportRow, stage: Stage, at: Position, limit: int) -> tuple[Position, int, float]:
        def work(conn: Connection) -> tuple[Position, int, float]:
            begun = self._clock.monotonic()
            here = Position(at.op, at.n)  # the transaction may be run again from the start
            written = apply_piece(conn, stage, here, row.created_at, limit)
            imports.advance(conn, row.id, here, written)
            return here, written, self._clock.monotonic() - begun

        done: tuple[Position, int, float] = await self._write_admin(work)
        return done

    async def _record(self, import_id: str, stage: Path, result: dict[str, Any]) -> None:
        """What was found, some faults at a time."""
        opened = Stage(stage, fresh=False)
        try:
            found = [(False, opened.said("faults")), (True, opened.said("warnings"))]
        finally:
            opened.close()
        values = {"rows": result["rows"], "counts": result["counts"]}
        values |= {"faults": result["faults"], "warnings": result["warnings"]}
        await self._write_admin(lambda conn: imports.change(conn, import_id, **values))
        number = 1
        for warning, told in found:
            faults = [Fault(*values) for values in told]
            for first in range(0, len(faults), FAULTS_AT_ONCE):
                part = faults[first : first + FAULTS_AT_ONCE]
                await self._write_admin(_adder(import_id, number, part, warning))
                number += len(part)

    async def _end(self, import_id: str, state: State, **values: Any) -> None:
        now = self._clock.now()
        await self._write_admin(
            lambda conn: imports.change(conn, import_id, state=state.value, ended_at=now, stage=None, **values)
        )

    def _order(self, row: ImportRow, upload: Upload) -> dict[str, Any]:
        return {
            "files": [[str(path), name] for path, name in upload.files],
            "who": [upload.who.id, upload.who.name, upload.who.via],
            "now": row.created_at.isoformat(),
            "zone": self._zone,
            "scope": upload.scope.paths,
            "dry_run": upload.dry_run,
            "reserved": sorted(self._reserved),
        }

    def _teller(self, import_id: str) -> Callable[[dict[str, Any]], Any]:
        """Notes the child's progress with the import, twice a second at most."""
        last = [0.0]

        async def tell(line: dict[str, Any]) -> None:
            now = self._clock.monotonic()
            if now - last[0] < told_every_s:
                return
            last[0] = now
            column = {"validating": "rows", "applying": "written"}[line["phase"]]
            values = {column: line["done"]} | ({"size": line["size"]} if line["size"] else {})
            await self._write_admin(lambda conn: imports.change(conn, import_id, **values))

        return tell

    async def _child(self, order: dict[str, Any], tell: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Run one order; its result. FileRefused as the child says; RuntimeError when it dies."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gengfu.bulk_child",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=line_bytes_max,
            env=dict(os.environ) | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(msgspec.json.encode(order | {"url": self._url}) + b"\n")
            await process.stdin.drain()
            while line := await process.stdout.readline():
                told = msgspec.json.decode(line)
                if "refused" in told:
                    raise FileRefused(told["refused"][0], **told["refused"][1])
                if "result" in told:
                    result: dict[str, Any] = told["result"]
                    return result
                await tell(told)
            raise RuntimeError("the importing process ended without a word")
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
            await process.wait()

    def _tidy(self, kept: set[str]) -> None:
        """Staging files that a crash has left."""
        for path in self.folder.glob(".gengfu-import-*"):
            if str(path) not in kept and path.is_file():
                path.unlink(missing_ok=True)

    async def _write_admin(self, work: Callable[[Connection], Any]) -> Any:
        return await self.database.write(Priority.ADMINISTRATION, work)


def _adder(import_id: str, number: int, faults: Sequence[Fault], warning: bool) -> Callable[[Connection], None]:
    return lambda conn: imports.add_faults(conn, import_id, number, faults, warning=warning)


async def _ignore(line: dict[str, Any]) -> None:
    """An export's progress is nobody's."""


def _digest(files: Sequence[tuple[Path, str]]) -> str:
    for path, name in files:
        try:
            size = path.stat().st_size
        except OSError:
            raise FileRefused("missing_file", file=name) from None
        if size > import_bytes_max:
            raise FileRefused("too_large", file=name, mb=import_bytes_max // 1024 // 1024)
    return digest(files)


def _unlink(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
