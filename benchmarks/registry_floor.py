"""The floor of an import, a child process: csv reads the same files, sqlite3 stores their rows. It checks nothing.

`python -m benchmarks.registry_floor FOLDER DATABASE`: every row with all its cells into one table, every device into a
second one by its id, durably in one transaction. Prints nothing.
"""

import csv
import sqlite3
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

rows_at_once = 5_000
DEVICE = "设备"


def main() -> None:
    """Entry point."""
    folder, database = map(Path, sys.argv[1:])
    conn = sqlite3.connect(database, isolation_level=None)
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("PRAGMA synchronous=FULL")
    conn.execute("CREATE TABLE cells (id INTEGER PRIMARY KEY, sheet TEXT, row TEXT)")
    conn.execute("CREATE TABLE devices (id TEXT PRIMARY KEY, row INTEGER)")
    conn.execute("BEGIN")
    number = 0
    for file in sorted(folder.glob("*.csv")):
        for portion in _portions(file):
            cells = [(number + n, file.stem, row) for n, (row, _) in enumerate(portion)]
            devices = [(device, number + n) for n, (_, device) in enumerate(portion) if device]
            conn.executemany("INSERT INTO cells VALUES (?, ?, ?)", cells)
            conn.executemany("INSERT INTO devices VALUES (?, ?)", devices)
            number += len(portion)
    conn.execute("COMMIT")
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()


def _portions(file: Path) -> Iterator[list[tuple[str, str]]]:
    """The rows under the header as one text each, with the device they name."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = csv.reader(opened)
        header = next(rows)
        at = header.index(DEVICE) if DEVICE in header else None
        while portion := [("\t".join(row), "" if at is None else row[at]) for row in islice(rows, rows_at_once)]:
            yield portion


if __name__ == "__main__":
    main()
