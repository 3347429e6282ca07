"""A process that imports, to be killed: `served URL FILE` as a running service does, `direct URL FILE` as the command
line does. It says how far it is, a line each time. Never ends an import that it did not begin or find begun.
"""

import asyncio
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from devices.store import imports
from devices.store.imports import Upload
from devices.store.scope import EVERYTHING
from gengfu import bulk_server
from gengfu.bulk import Request, run_here
from gengfu.bulk_server import Imports
from gengfu.clock import RandomIds, SystemClock
from gengfu.database import RunningDatabase, open_database
from tests.contract.bulk_support import WHO, ZONE


def desk(url: str, database: RunningDatabase, folder: Path) -> Imports:
    return Imports(
        database,
        url,
        folder,
        clock=SystemClock(),
        ids=RandomIds(),
        zone="Asia/Shanghai",
        registry_changed=lambda: None,
    )


async def served(url: str, file: Path) -> None:
    bulk_server.piece_rows_max = 25  # so that there is time to be killed in
    database = open_database(url, monotonic=time.monotonic)
    mine = desk(url, database, file.parent)
    import_id = await mine.begin(Upload(((file, file.name),), WHO, EVERYTHING, dry_run=False))
    while True:
        row = await database.read(lambda conn: imports.get(conn, import_id))
        assert row is not None
        print(row.state.value, row.written, row.size, flush=True)
        if row.ended_at is not None:
            return
        await asyncio.sleep(0.01)


def direct(url: str, file: Path) -> None:
    request = Request(((file, file.name),), WHO, datetime.now(UTC), ZONE)  # noqa: TID251 - a process of its own
    run_here(url, request, progress=lambda phase, done, size: print(phase, done, size, flush=True))


if __name__ == "__main__":
    mode, url, file = sys.argv[1:]
    if mode == "served":
        asyncio.run(served(url, Path(file)))
    else:
        direct(url, Path(file))
