"""Databases for measured runs: one filled template per kind, a fresh copy of it for each run. Never reuses a copy."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from alerting.ports import Priority
from api.auth import hash_key
from api.permissions import Role
from api.store import keys as key_store
from benchmarks.numbering import person_id
from gengfu.clock import RandomIds, SystemClock
from gengfu.database import migrate, open_database
from gengfu.seed import seed
from simulators.city import City
from tests.support.postgres import PostgresCluster

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"


@dataclass(slots=True)
class Databases:
    """`fresh(kind)` gives the address of a filled database. `keys[n]` opens the app of worker n."""

    folder: Path
    secret_key: str
    city: City
    keys: Sequence[str]
    cluster: PostgresCluster | None = field(default=None, init=False)
    _template: Path | None = field(default=None, init=False)
    _made: int = field(default=0, init=False)

    async def fresh(self, kind: str) -> str:
        """A copy of the template; the template is made when it is first asked for."""
        self._made += 1
        return await (self._fresh_sqlite() if kind == SQLITE else self._fresh_postgres())

    def close(self) -> None:
        """End PostgreSQL, if it was started."""
        if self.cluster is not None:
            self.cluster.close()
            self.cluster = None

    @property
    def postgres_pid(self) -> int | None:
        """The server's main process."""
        if self.cluster is None:
            return None
        return int(self.cluster.run("SELECT pg_read_file('postmaster.pid')").splitlines()[0])

    async def _fresh_sqlite(self) -> str:
        if self._template is None:
            template = self.folder / "template.db"
            await self._fill(f"sqlite+aiosqlite:///{template}")
            self._template = template
        copy = self.folder / f"run-{self._made}" / "gengfu.db"
        copy.parent.mkdir()
        await asyncio.to_thread(shutil.copyfile, self._template, copy)
        return f"sqlite+aiosqlite:///{copy}"

    async def _fresh_postgres(self) -> str:
        if self.cluster is None:
            self.cluster = await asyncio.to_thread(PostgresCluster)
        cluster = self.cluster
        name = await asyncio.to_thread(cluster.template, "filled", lambda url: asyncio.run(self._fill(url)))
        made = await asyncio.to_thread(cluster.create, name)
        await asyncio.to_thread(cluster.run, "VACUUM ANALYZE", made)
        await asyncio.to_thread(cluster.run, "CHECKPOINT")
        return cluster.url(made)

    async def _fill(self, url: str) -> None:
        await asyncio.to_thread(migrate.upgrade, url)
        clock, ids = SystemClock(), RandomIds()
        database = open_database(url, monotonic=clock.monotonic)
        try:
            now = clock.now()
            await database.write(
                Priority.ADMINISTRATION, lambda conn: seed(conn, self.city, now=now, ids=ids, credentials=None)
            )
            rows = [self._key(ids.uuid7(), number, key, clock) for number, key in enumerate(self.keys)]
            await database.write(Priority.ADMINISTRATION, lambda conn: _add_keys(conn, rows))
        finally:
            await database.close()

    def _key(self, key_id: str, number: int, key: str, clock: SystemClock) -> key_store.ApiKey:
        return key_store.ApiKey(
            id=key_id,
            name=f"bench {number}",
            role=Role.GRID_WORKER,
            key_hash=hash_key(self.secret_key, key),
            person_id=person_id(number),
            created_at=clock.now(),
            expires_at=None,
            revoked_at=None,
            last_used_at=None,
        )


def _add_keys(conn: Connection, rows: Sequence[key_store.ApiKey]) -> None:
    for row in rows:
        key_store.add(conn, row)
