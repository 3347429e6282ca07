"""Queries on device models. They belong to the whole deployment, so none takes a scope. Decides nothing."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from devices.store.pages import after_id
from devices.store.tables_devices import device_models

WALK_TEST_S = 180
"""NB-IoT: the time a detector may need to wake up, find its cell and send."""


@dataclass(frozen=True, slots=True)
class ModelRow:
    """What all devices of one make have in common."""

    id: str
    code: str
    maker: str
    model: str
    kind: str
    dialect: str = "plain"
    codec: str = "gengfu_plain"
    supervision_window_s: int | None = None
    battery_type: str | None = None
    ports: int = 0
    """Of a charging station."""
    restores: bool = True
    """It says by itself when all is well again."""
    walk_test_s: int = WALK_TEST_S
    signal_dbm_min: int | None = None
    actions: tuple[str, ...] = ()
    """What its devices can be made to do: `cut_power`, `sound_siren`. Each device still needs its own permission."""
    version: int = 1


_T = device_models.c
_SELECT = select(
    _T.id,
    _T.code,
    _T.maker,
    _T.model,
    _T.kind,
    _T.dialect,
    _T.codec,
    _T.supervision_window_s,
    _T.battery_type,
    _T.ports,
    _T.restores,
    _T.walk_test_s,
    _T.signal_dbm_min,
    _T.actions,
    _T.version,
)


def insert_many(conn: Connection, rows: Iterable[ModelRow]) -> None:
    """IntegrityError for an id or code that exists."""
    values = [_values(row) for row in rows]
    if values:
        conn.execute(insert(device_models), values)


def get(conn: Connection, model_id: str) -> ModelRow | None:
    row = conn.execute(_SELECT.where(_T.id == model_id)).first()
    return None if row is None else _row(row)


def find(conn: Connection, reference: str) -> ModelRow | None:
    """By id or by code; an id wins."""
    found = [_row(row) for row in conn.execute(_SELECT.where(or_(_T.id == reference, _T.code == reference)))]
    return min(found, key=lambda row: row.id != reference, default=None)


def page(conn: Connection, after: str | None, limit: int, *, kind: str | None = None) -> list[ModelRow]:
    """In order of ids, at most 500."""
    query = after_id(_SELECT, _T.id, after, limit)
    if kind is not None:
        query = query.where(_T.kind == kind)
    return [_row(row) for row in conn.execute(query)]


def update_one(conn: Connection, row: ModelRow) -> bool:
    """Write the row over its `version`, which goes up by one; False when somebody else was faster."""
    query = update(device_models).where(_T.id == row.id, _T.version == row.version)
    return conn.execute(query.values(_values(row) | {"version": row.version + 1})).rowcount == 1


def _values(row: ModelRow) -> dict[str, Any]:
    return asdict(row) | {"restores": int(row.restores), "actions": list(row.actions) or None}


def _row(row: Row[*tuple[Any, ...]]) -> ModelRow:
    values = row._asdict()
    return ModelRow(**values | {"restores": bool(values["restores"]), "actions": tuple(values["actions"] or ())})
