"""Queries on organisations: property companies and units. They belong to the whole deployment. Decides nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from devices.model import OrganisationKind
from devices.store.pages import after_id
from devices.store.tables_places import compounds, organisations


@dataclass(frozen=True, slots=True)
class OrganisationRow:
    id: str
    kind: OrganisationKind
    code: str
    name: str
    name_en: str = ""
    version: int = 1


_T = organisations.c
_SELECT = select(_T.id, _T.kind, _T.code, _T.name, _T.name_en, _T.version)


def insert_many(conn: Connection, rows: Iterable[OrganisationRow]) -> None:
    """IntegrityError for a code or id that exists."""
    values = [_values(row) | {"id": row.id, "version": row.version} for row in rows]
    if values:
        conn.execute(insert(organisations), values)


def get(conn: Connection, organisation_id: str) -> OrganisationRow | None:
    row = conn.execute(_SELECT.where(_T.id == organisation_id)).first()
    return None if row is None else _row(row)


def find(conn: Connection, reference: str) -> OrganisationRow | None:
    """By id or by code; an id wins."""
    found = conn.execute(_SELECT.where(or_(_T.id == reference, _T.code == reference))).fetchall()
    rows = sorted((_row(row) for row in found), key=lambda row: row.id != reference)
    return rows[0] if rows else None


def page(
    conn: Connection, after: str | None, limit: int, *, kind: OrganisationKind | None = None
) -> list[OrganisationRow]:
    """In order of ids, at most 500."""
    query = after_id(_SELECT, _T.id, after, limit)
    if kind is not None:
        query = query.where(_T.kind == kind.value)
    return [_row(row) for row in conn.execute(query)]


def update_one(conn: Connection, row: OrganisationRow) -> bool:
    """Write the row over its `version`, which goes up by one; False when somebody else was faster."""
    mine = update(organisations).where(_T.id == row.id, _T.version == row.version)
    return conn.execute(mine.values(**_values(row), version=row.version + 1)).rowcount == 1


def remove(conn: Connection, organisation_id: str, version: int) -> bool:
    """False when somebody else changed it. IntegrityError while a compound names it."""
    return conn.execute(delete(organisations).where(_T.id == organisation_id, _T.version == version)).rowcount == 1


def compounds_of(conn: Connection, organisation_id: str) -> int:
    """How many compounds name it, in whatever part."""
    named = or_(
        compounds.c.property_company_id == organisation_id,
        compounds.c.supervising_unit_id == organisation_id,
        compounds.c.partner_unit_id == organisation_id,
    )
    return conn.scalar(select(func.count()).select_from(compounds).where(named)) or 0


def _values(row: OrganisationRow) -> dict[str, Any]:
    return {"kind": row.kind.value, "code": row.code, "name": row.name, "name_en": row.name_en}


def _row(row: Row[*tuple[Any, ...]]) -> OrganisationRow:
    id_, kind, code, name, name_en, version = row
    return OrganisationRow(id_, OrganisationKind(kind), code, name, name_en, version)
