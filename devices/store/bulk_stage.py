"""The staging file of an import: what is to be written, row by row, in a SQLite file of its own. Never touches the
registry; the file is durable once sealed, so that an import may go on after a crash.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

BUFFERED = 4_096
_CACHE_KIB = 65_536

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE node (
    n INTEGER PRIMARY KEY, parent INTEGER NOT NULL, kind INTEGER NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL,
    parent_id TEXT, path TEXT NOT NULL, code TEXT, name_en TEXT NOT NULL, lat REAL, lon REAL,
    state INTEGER NOT NULL, given INTEGER NOT NULL, src INTEGER NOT NULL, row INTEGER NOT NULL);
CREATE TABLE device (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL, kind TEXT, codec TEXT, place_id TEXT, state TEXT, window INTEGER,
    model_id TEXT, gateway TEXT, op INTEGER NOT NULL, src INTEGER NOT NULL, row INTEGER NOT NULL);
CREATE TABLE identity (
    n INTEGER PRIMARY KEY, dialect TEXT NOT NULL, external_id TEXT NOT NULL, kind TEXT NOT NULL,
    device_id TEXT NOT NULL, op INTEGER NOT NULL, src INTEGER NOT NULL, row INTEGER NOT NULL);
CREATE TABLE step (n INTEGER PRIMARY KEY, op TEXT NOT NULL, args TEXT NOT NULL);
CREATE INDEX step_op ON step (op, n);
"""

NEW, SAME, CHANGED = 0, 1, 2
"""What becomes of a node or a device."""

_NODE = "INSERT INTO node VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
_NODE_UPDATE = "UPDATE node SET name=?, code=?, name_en=?, lat=?, lon=?, state=?, given=?, src=?, row=? WHERE n=?"
_DEVICE = (
    "INSERT INTO device (id,kind,codec,place_id,state,window,model_id,gateway,op,src,row)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?)"
)
_IDENTITY = "INSERT INTO identity (dialect,external_id,kind,device_id,op,src,row) VALUES (?,?,?,?,?,?,?)"
_STEP = "INSERT INTO step (op, args) VALUES (?,?)"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Stage:
    """Opened by whoever makes the plan (`fresh`) or carries it out. One user at a time."""

    def __init__(self, path: Path, *, fresh: bool) -> None:
        self.path = path
        mode = "rwc" if fresh else "rw"
        uri = f"{path.resolve().as_uri()}?mode={mode}"
        self._conn = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        self._nodes: list[Sequence[Any]] = []
        self._updates: list[Sequence[Any]] = []
        self._devices: list[Sequence[Any]] = []
        self._identities: list[Sequence[Any]] = []
        self._steps: list[Sequence[Any]] = []
        if fresh:
            self._conn.execute("PRAGMA journal_mode=OFF")  # a plan that breaks off is thrown away
            self._conn.execute("PRAGMA synchronous=OFF")
            self._conn.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
            self._conn.executescript(_SCHEMA)
            self._conn.execute("BEGIN")
        else:
            self._conn.execute("PRAGMA query_only=ON")

    def add_node(self, values: Sequence[Any]) -> None:
        self._nodes.append(values)
        if len(self._nodes) >= BUFFERED:
            self.flush()

    def change_node(self, values: Sequence[Any]) -> None:
        self._updates.append(values)
        if len(self._updates) >= BUFFERED:
            self.flush()

    def add_device(self, values: Sequence[Any]) -> None:
        self._devices.append(values)

    def add_identity(self, values: Sequence[Any]) -> None:
        self._identities.append(values)

    def step(self, op: str, *args: Any) -> None:
        """One small change; instants as ISO text."""
        self._steps.append((op, _encode(args).decode()))
        if len(self._steps) >= BUFFERED:
            self.flush()

    def flush(self) -> None:
        for sql, rows in (
            (_NODE, self._nodes),
            (_NODE_UPDATE, self._updates),
            (_DEVICE, self._devices),
            (_IDENTITY, self._identities),
            (_STEP, self._steps),
        ):
            if rows:
                self._conn.executemany(sql, rows)
                rows.clear()

    def query(self, sql: str, args: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Rows of the staging file itself; steps that were just added may be missing."""
        if self._nodes or self._updates or self._devices or self._identities:
            self.flush()
        return self._conn.execute(sql, args)

    def run(self, sql: str, args: Sequence[Any] = ()) -> None:
        self.flush()
        self._conn.execute(sql, args)

    def steps(self, op: str, after: int, limit: int) -> list[tuple[int, list[Any]]]:
        sql = "SELECT n, args FROM step WHERE op = ? AND n > ? ORDER BY n LIMIT ?"
        return [(n, _decode(args)) for n, args in self._conn.execute(sql, (op, after, limit))]

    def say(self, name: str, value: Any) -> None:
        """Keep a JSON value with the plan."""
        self._conn.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, _encode(value).decode()))

    def said(self, name: str) -> Any:
        found = self._conn.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if found is None else _decode(found[0])

    def seal(self, *, durable: bool) -> None:
        """The plan is whole. `durable`: on the disk when this returns, so that a crash cannot take it away."""
        self.flush()
        self._conn.execute("COMMIT")
        if durable:
            for path in (self.path, self.path.parent):
                descriptor = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)

    def close(self) -> None:
        self._conn.close()
