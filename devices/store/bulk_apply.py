"""Carries out a plan from its staging file: parents before children, devices last. Decides nothing.

At once in one transaction (`apply_all`), or a piece at a time (`apply_piece`), each piece in a transaction of its own
that also notes how far the import has come.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, insert, update
from sqlalchemy.sql.dml import UpdateBase

from devices.bulk.columns import LEVELS
from devices.store import credentials
from devices.store.bulk_stage import Stage
from devices.store.tables import contact_points, devices, grid_places, grids, people, places, shifts
from devices.store.tables_devices import device_identities, device_placements
from devices.store.tables_duty import grid_members, grid_neighbours
from devices.store.tables_places import compounds, organisations

ROWS_AT_ONCE = 10_000
COPIED_AT_ONCE = 50_000
_KINDS = " ".join(f"WHEN {index} THEN '{kind.value}'" for index, kind in enumerate(LEVELS))


@dataclass(frozen=True, slots=True)
class Op:
    """One kind of change. `source`: its rows in the staging file (number, values ...) with `? < n`, for many rows; else
    its steps are read. `fixed`: what all rows of it have alike; the value `now` is the import's instant."""

    name: str
    statement: UpdateBase
    columns: tuple[str, ...]
    table: Table | None = None
    """Into which rows of `source` are inserted as they stand."""
    source: str | None = None
    instants: frozenset[str] = frozenset()
    fixed: Mapping[str, Any] | None = None


def _adds(name: str, table: Table, columns: str, instants: str = "", **fixed: Any) -> Op:
    return Op(name, insert(table), tuple(columns.split()), instants=frozenset(instants.split()), fixed=fixed)


def _changes(
    name: str, table: Table, columns: str, key: str = "id", instants: str = "", source: str | None = None
) -> Op:
    names = columns.split()
    values: dict[str, Any] = {column: bindparam(f"b_{column}", type_=table.c[column].type) for column in names}
    if "version" in table.c:
        values["version"] = table.c.version + 1
    statement = update(table).where(table.c[key] == bindparam("b_key")).values(**values)
    wanted = ("b_key", *(f"b_{column}" for column in names))
    return Op(name, statement, wanted, source=source, instants=frozenset(f"b_{each}" for each in instants.split()))


def _removes(name: str, table: Table, key: str) -> Op:
    return Op(name, delete(table).where(table.c[key] == bindparam("b_key")), ("b_key",))


def _bulk(name: str, table: Table, columns: str, source: str) -> Op:
    return Op(name, insert(table), tuple(columns.split()), table=table, source=source)


_PLACE = "id parent_id kind code name name_en path lat lon version"
_DEVICE = "id kind codec place_id state supervision_window_s model_id gateway_id created_at version"
_P = device_placements.c
_PERSON = "kind name name_en language left_at place_id hours_from hours_to night_calls_consent_at"

OPS: tuple[Op, ...] = (
    _adds("organisation_add", organisations, "id kind code name name_en", version=1),
    _bulk(
        "places",
        places,
        _PLACE,
        f"SELECT n, id, parent_id, CASE kind {_KINDS} END, code, name, name_en, path, lat, lon, 1 FROM node"  # noqa: S608
        " WHERE n > ? AND state = 0 ORDER BY n LIMIT ?",
    ),
    _changes(
        "place_change",
        places,
        "code name name_en lat lon",
        source="SELECT n, id, code, name, name_en, lat, lon FROM node WHERE n > ? AND state = 2 ORDER BY n LIMIT ?",
    ),
    _adds(
        "compound_add",
        compounds,
        "place_id type property_company_id committee supervising_unit_id partner_unit_id",
        version=1,
    ),
    _changes(
        "compound_change",
        compounds,
        "type property_company_id committee supervising_unit_id partner_unit_id",
        key="place_id",
    ),
    _adds(
        "person_add",
        people,
        f"id code {_PERSON}",
        "left_at night_calls_consent_at",
        version=1,
    ),
    _changes("person_change", people, _PERSON, instants="left_at night_calls_consent_at"),
    _adds("contact_add", contact_points, "id person_id channel address"),
    Op(
        "contact_change",
        update(contact_points)
        .where(contact_points.c.id == bindparam("b_key"))
        .values(address=bindparam("b_address"), verified_at=None),
        ("b_key", "b_address"),
    ),
    _removes("contact_remove", contact_points, "id"),
    _adds("grid_add", grids, "id code name name_en community_id night_from night_to", version=1),
    _changes("grid_change", grids, "name name_en community_id night_from night_to"),
    _adds("grid_place_add", grid_places, "place_id grid_id"),
    _removes("member_clear", grid_members, "grid_id"),
    _adds("member_add", grid_members, "grid_id person_id rank"),
    _removes("neighbour_clear", grid_neighbours, "grid_id"),
    _adds("neighbour_add", grid_neighbours, "grid_id neighbour_id rank"),
    _adds(
        "shift_add",
        shifts,
        "id role person_id grid_id place_id starts_at ends_at rank",
        "starts_at ends_at",
        version=1,
    ),
    _changes("shift_change", shifts, "rank"),
    _bulk(
        "devices",
        devices,
        _DEVICE,
        "SELECT n, id, kind, codec, place_id, state, window, model_id, gateway, :now, 1 FROM device"
        " WHERE n > ? AND op = 0 ORDER BY n LIMIT ?",
    ),
    _changes(
        "device_change",
        devices,
        "kind codec place_id state supervision_window_s model_id gateway_id",
        source="SELECT n, id, kind, codec, place_id, state, window, model_id, gateway FROM device"
        " WHERE n > ? AND op = 2 ORDER BY n LIMIT ?",
    ),
    _bulk(
        "identities",
        device_identities,
        "dialect external_id kind device_id",
        "SELECT n, dialect, external_id, kind, device_id FROM identity WHERE n > ? AND op = 0 ORDER BY n LIMIT ?",
    ),
    # Where a device hung before it moved, for one without a row yet; then the row that is open; then the new place.
    Op(
        "placement_end",
        update(device_placements)
        .where(_P.device_id == bindparam("b_key"), _P.to_at.is_(None))
        .values(to_at=bindparam("now", type_=_P.to_at.type)),
        ("b_key",),
        fixed={"now": "now"},
    ),
    _adds("placement_add", device_placements, "device_id place_id", from_at="now", reason="moved"),
)
"""In the order in which they are written."""


@dataclass(slots=True)
class Position:
    """How far an import has come: everything of OPS before `op`, and of that its rows up to `n`."""

    op: int = 0
    n: int = 0

    @property
    def done(self) -> bool:
        return self.op >= len(OPS)


def apply_piece(conn: Connection, stage: Stage, at: Position, now: datetime, limit: int) -> int:
    """Write the next rows, at most `limit`, all of one kind, and move `at` behind them. How many; 0 ends a kind."""
    op = OPS[at.op]
    last, rows = _read(conn, stage, op, at.n, now, limit)
    if rows:
        _write(conn, op, rows, now)
        at.n = last
    if len(rows) < limit:
        at.op, at.n = at.op + 1, 0
    return len(rows)


def apply_all(conn: Connection, stage: Stage, now: datetime, progress: Callable[[int], None]) -> None:
    """Write everything in the transaction of `conn`."""
    at, written = Position(), 0
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("ATTACH DATABASE ? AS stage", (str(stage.path),))
    while not at.done:
        op = OPS[at.op]
        if op.table is not None and conn.dialect.name == "sqlite":
            for copied in _copy(conn, op, now):
                written += copied
                progress(written)
            at.op += 1
        else:
            written += apply_piece(conn, stage, at, now, ROWS_AT_ONCE)
        progress(written)


def size(stage: Stage) -> int:
    """How many rows a plan writes."""
    counts = [
        "SELECT count(*) FROM node WHERE state <> 1",
        "SELECT count(*) FROM device WHERE op <> 1",
        "SELECT count(*) FROM identity WHERE op = 0",
        "SELECT count(*) FROM step",
    ]
    stage.flush()
    return sum(int(next(iter(stage.query(sql)))[0]) for sql in counts)


def _copy(conn: Connection, op: Op, now: datetime) -> Iterator[int]:
    """From file to file inside SQLite, without Python in between; how many rows each time.

    A piece at a time: the table has triggers, so SQLite first puts all that one statement inserts into a temporary
    table, in memory.
    """
    assert op.table is not None
    assert op.source is not None
    columns = ", ".join(op.columns)
    rows = op.source.replace("SELECT n, ", "SELECT ", 1).replace(" FROM ", " FROM stage.", 1)
    rows = rows.replace("n > ? AND ", "n > ? AND n <= ? AND ").replace(" LIMIT ?", "")
    rows = rows.replace(":now", f"'{_text(now)}'")
    source = op.source.split(" FROM ", 1)[1].split()[0]
    last = conn.exec_driver_sql(f"SELECT max(n) FROM stage.{source}").scalar() or 0  # noqa: S608 - our own names
    for after in range(-1, last + 1, COPIED_AT_ONCE):
        statement = f"INSERT INTO {op.table.name} ({columns}) {rows}"
        yield conn.exec_driver_sql(statement, (after, after + COPIED_AT_ONCE)).rowcount


def _read(
    conn: Connection, stage: Stage, op: Op, after: int, now: datetime, limit: int
) -> tuple[int, list[Sequence[Any]]]:
    if op.source is None:
        steps = stage.steps(op.name, after, limit)
        return (steps[-1][0] if steps else after), [args for _, args in steps]
    found = list(stage.query(op.source.replace(":now", "NULL"), (after, limit)))
    return (found[-1][0] if found else after), [row[1:] for row in found]


def _write(conn: Connection, op: Op, rows: list[Sequence[Any]], now: datetime) -> None:
    if op.table is not None:
        _insert(conn, op, rows, now)
        return
    fixed = {name: now if value == "now" else value for name, value in (op.fixed or {}).items()}
    if op.name == "placement_add":
        rows = list(_stays(conn, rows, now))
    if op.name == "device_change":
        credentials.count_up(conn)  # one may have been removed: the broker's accounts follow
    conn.execute(op.statement, [_named(op, row) | fixed for row in rows])


def _named(op: Op, row: Sequence[Any]) -> dict[str, Any]:
    values = dict(zip(op.columns, row, strict=True))
    for name in op.instants:
        if values[name] is not None:
            values[name] = datetime.fromisoformat(values[name])
    return values


def _stays(conn: Connection, rows: list[Sequence[Any]], now: datetime) -> Iterator[Sequence[Any]]:
    """(device, new place) of each move; where a device hung that has no row yet is written on the way."""
    for device_id, before, since, after in rows:
        ended = conn.execute(_ENDED, {"device": device_id, "now": now}).first()
        if ended is None and before is not None:
            first = {"device_id": device_id, "place_id": before, "from_at": datetime.fromisoformat(since)}
            conn.execute(insert(device_placements).values(**first, to_at=now, reason="placed"))
        yield device_id, after


_ENDED = (
    device_placements.select()
    .where(_P.device_id == bindparam("device"), _P.to_at == bindparam("now", type_=_P.to_at.type))
    .limit(1)
)


def _insert(conn: Connection, op: Op, rows: list[Sequence[Any]], now: datetime) -> None:
    """Many rows without a value being looked at: COPY on PostgreSQL, the driver's own executemany on SQLite."""
    assert op.table is not None
    stamp = op.columns.index("created_at") if "created_at" in op.columns else None
    if conn.dialect.name == "sqlite":
        if stamp is not None:
            text = _text(now)
            rows = [(*row[:stamp], text, *row[stamp + 1 :]) for row in rows]
        marks = ", ".join("?" * len(op.columns))
        sql = f"INSERT INTO {op.table.name} ({', '.join(op.columns)}) VALUES ({marks})"  # noqa: S608 - our own names
        conn.exec_driver_sql(sql, [tuple(row) for row in rows])
        return
    if stamp is not None:
        rows = [(*row[:stamp], now, *row[stamp + 1 :]) for row in rows]
    name = op.table.name
    driver: Any = conn.connection.dbapi_connection
    driver.run_async(lambda raw: raw.copy_records_to_table(name, records=rows, columns=op.columns))


def _text(at: datetime) -> str:
    """An instant as SQLite keeps it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
