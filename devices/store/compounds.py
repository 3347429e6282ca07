"""Queries on what a compound 小区 is: type, who manages it, who supervises it. 三无 is derived here, never stored."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, not_, select, update

from devices.model import Committee, CompoundType, PlaceKind
from devices.store.pages import after_id
from devices.store.scope import EVERYTHING, SEPARATOR, Scope
from devices.store.tables import places
from devices.store.tables_places import compounds


@dataclass(frozen=True, slots=True)
class CompoundRow:
    """Every place of kind compound has one; version 0: nobody has said anything about it yet."""

    place_id: str
    code: str | None
    name: str
    path: tuple[str, ...]
    type: CompoundType | None = None
    property_company_id: str | None = None
    committee: Committee | None = None
    supervising_unit_id: str | None = None
    partner_unit_id: str | None = None
    version: int = 0

    @property
    def three_without(self) -> bool | None:
        """三无: no property company, no committee, no supervising unit. None: nobody has said."""
        if not self.version:
            return None
        nobody = self.property_company_id is None and self.supervising_unit_id is None
        return nobody and self.committee is Committee.NONE


_C = compounds.c
_SELECT = (
    select(
        places.c.id,
        places.c.code,
        places.c.name,
        places.c.path,
        _C.type,
        _C.property_company_id,
        _C.committee,
        _C.supervising_unit_id,
        _C.partner_unit_id,
        _C.version,
    )
    .select_from(places.outerjoin(compounds, _C.place_id == places.c.id))
    .where(places.c.kind == PlaceKind.COMPOUND.value)
)
_THREE_WITHOUT = and_(
    _C.property_company_id.is_(None), _C.supervising_unit_id.is_(None), _C.committee == Committee.NONE.value
)
"""As `CompoundRow.three_without`."""


def get(conn: Connection, place_id: str) -> CompoundRow | None:
    """None: there is no such place, or it is no compound."""
    row = conn.execute(_SELECT.where(places.c.id == place_id)).first()
    return None if row is None else _row(row)


def page(
    conn: Connection,
    after: str | None,
    limit: int,
    *,
    three_without: bool | None = None,
    property_company_id: str | None = None,
    type_: CompoundType | None = None,
    under: Scope = EVERYTHING,
    within: Scope = EVERYTHING,
) -> list[CompoundRow]:
    """In order of ids, at most 500. `three_without` finds only those about which something was said."""
    query = _SELECT.where(within.on_path(places.c.path), under.on_path(places.c.path))
    query = after_id(query, places.c.id, after, limit)
    if three_without is not None:
        query = query.where(_C.version.is_not(None), _THREE_WITHOUT if three_without else not_(_THREE_WITHOUT))
    if property_company_id is not None:
        query = query.where(_C.property_company_id == property_company_id)
    if type_ is not None:
        query = query.where(_C.type == type_.value)
    return [_row(row) for row in conn.execute(query)]


def update_one(conn: Connection, row: CompoundRow) -> bool:
    """Write the row over its `version`, which goes up by one; False when somebody else was faster.

    IntegrityError when somebody else was the first to say anything, or an organisation is gone.
    """
    if row.version == 0:
        conn.execute(insert(compounds).values(place_id=row.place_id, **_values(row), version=1))
        return True
    mine = update(compounds).where(_C.place_id == row.place_id, _C.version == row.version)
    return conn.execute(mine.values(**_values(row), version=row.version + 1)).rowcount == 1


def _values(row: CompoundRow) -> dict[str, Any]:
    assert row.committee is not None, "what is written says who speaks for the owners, if only that nobody does"
    return {
        "type": row.type.value if row.type else None,
        "property_company_id": row.property_company_id,
        "committee": row.committee.value,
        "supervising_unit_id": row.supervising_unit_id,
        "partner_unit_id": row.partner_unit_id,
    }


def _row(row: Row[*tuple[Any, ...]]) -> CompoundRow:
    id_, code, name, path, type_, company, committee, supervising, partner, version = row
    return CompoundRow(
        id_,
        code,
        name,
        tuple(path.split(SEPARATOR)),
        CompoundType(type_) if type_ else None,
        company,
        Committee(committee) if committee else None,
        supervising,
        partner,
        version or 0,
    )
