"""Queries on people and how to reach them. Decides nothing.

Household contacts are people too, and none of these queries finds them: `devices.store.households` alone does.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from devices.model import Channel, Language, PersonKind
from devices.store.marks import MARKS, REACHED, UNMARKED, Marks, marks_of
from devices.store.pages import after_id
from devices.store.scope import EVERYTHING, Scope
from devices.store.tables import contact_points, people


@dataclass(frozen=True, slots=True)
class PersonRow:
    id: str
    kind: PersonKind
    code: str
    name: str
    name_en: str
    language: Language
    left_at: datetime | None = None
    """From then on never on duty and never rung."""
    version: int = 1
    place_id: str | None = None
    """Where he belongs: seen by those whose scope holds it; None: only by those who see everything."""
    hours: tuple[int, int] | None = None
    """A volunteer: from and to which local minute of the day he may be asked; `to` before `from` passes midnight."""
    night_calls_consent_at: datetime | None = None
    """Since when he agrees to be rung at night; None: he does not."""


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One number or app of a person. Opted out of: kept, never used."""

    id: str
    person_id: str
    channel: Channel
    address: str
    verified_at: datetime | None = None
    opted_out_at: datetime | None = None
    marks: Marks = UNMARKED


_SELECT = select(
    people.c.id,
    people.c.kind,
    people.c.code,
    people.c.name,
    people.c.name_en,
    people.c.language,
    people.c.left_at,
    people.c.version,
    people.c.place_id,
    people.c.hours_from,
    people.c.hours_to,
    people.c.night_calls_consent_at,
).where(people.c.kind != PersonKind.HOUSEHOLD.value)
_CONTACTS = select(
    contact_points.c.id,
    contact_points.c.person_id,
    contact_points.c.channel,
    contact_points.c.address,
    contact_points.c.verified_at,
    contact_points.c.opted_out_at,
    *MARKS,
).order_by(contact_points.c.id)


def insert_many(conn: Connection, rows: Iterable[PersonRow]) -> None:
    """IntegrityError for a code or id that exists."""
    values = [_values(row) | {"id": row.id, "version": row.version} for row in rows]
    if values:
        conn.execute(insert(people), values)


def get(conn: Connection, person_id: str) -> PersonRow | None:
    row = conn.execute(_SELECT.where(people.c.id == person_id)).first()
    return None if row is None else _row(row)


def find(conn: Connection, reference: str) -> PersonRow | None:
    """By id or by code; an id wins."""
    found = conn.execute(_SELECT.where(or_(people.c.id == reference, people.c.code == reference))).fetchall()
    rows = sorted((_row(row) for row in found), key=lambda row: row.id != reference)
    return rows[0] if rows else None


def page(
    conn: Connection,
    after: str | None,
    limit: int,
    *,
    kind: PersonKind | None = None,
    under: Scope = EVERYTHING,
    within: Scope = EVERYTHING,
) -> list[PersonRow]:
    """In order of ids, at most 500. `under`: a part of the tree that is asked for; `within`: what may be seen."""
    seen = (within.at_place(people.c.place_id), under.at_place(people.c.place_id))
    query = after_id(_SELECT.where(*seen), people.c.id, after, limit)
    if kind is not None:
        query = query.where(people.c.kind == kind.value)
    return [_row(row) for row in conn.execute(query)]


def update_one(conn: Connection, row: PersonRow) -> bool:
    """Write the row over its `version`, which goes up by one; False when somebody else was faster."""
    changed = conn.execute(
        update(people)
        .where(people.c.id == row.id, people.c.version == row.version)
        .values(**_values(row), version=row.version + 1)
    )
    return changed.rowcount == 1


def add_contacts(conn: Connection, rows: Iterable[ContactRow]) -> None:
    """In the order in which they are to be tried. IntegrityError for one that the person has, or an unknown person."""
    values = [
        {
            "id": row.id,
            "person_id": row.person_id,
            "channel": row.channel.value,
            "address": row.address,
            "verified_at": row.verified_at,
            "opted_out_at": row.opted_out_at,
        }
        for row in rows
    ]
    if values:
        conn.execute(insert(contact_points), values)


def contacts(conn: Connection, person_id: str) -> list[ContactRow]:
    """All of them, those opted out of too, in the order in which they are tried."""
    return [_contact(row) for row in conn.execute(_CONTACTS.where(contact_points.c.person_id == person_id))]


def contact(conn: Connection, person_id: str, contact_id: str) -> ContactRow | None:
    """One of this person's; None when he has no such."""
    mine = (contact_points.c.id == contact_id, contact_points.c.person_id == person_id)
    row = conn.execute(_CONTACTS.where(*mine)).first()
    return None if row is None else _contact(row)


def contacts_at(conn: Connection, channel: Channel, address: str) -> list[ContactRow]:
    """Whose number this is: several people may share one."""
    query = _CONTACTS.join(people, people.c.id == contact_points.c.person_id).where(
        contact_points.c.channel == channel.value,
        contact_points.c.address == address,
        people.c.kind != PersonKind.HOUSEHOLD.value,
    )
    return [_contact(row) for row in conn.execute(query)]


def verify_contact(conn: Connection, contact_id: str, now: datetime) -> bool:
    """It was just reached, so no carrier's word against it stands. False for an unknown one."""
    query = update(contact_points).where(contact_points.c.id == contact_id)
    return conn.execute(query.values(verified_at=now, **REACHED)).rowcount == 1


def opt_out_contact(conn: Connection, contact_id: str, at: datetime | None) -> bool:
    """Stop using it from `at`, or with None use it again; False for an unknown one."""
    query = update(contact_points).where(contact_points.c.id == contact_id)
    return conn.execute(query.values(opted_out_at=at)).rowcount == 1


def remove_contact(conn: Connection, person_id: str, contact_id: str) -> bool:
    """False when the person has no such contact."""
    mine = (contact_points.c.id == contact_id, contact_points.c.person_id == person_id)
    return conn.execute(delete(contact_points).where(*mine)).rowcount == 1


def _values(row: PersonRow) -> dict[str, Any]:
    return {
        "kind": row.kind.value,
        "code": row.code,
        "name": row.name,
        "name_en": row.name_en,
        "language": row.language.value,
        "left_at": row.left_at,
        "place_id": row.place_id,
        "hours_from": row.hours[0] if row.hours else None,
        "hours_to": row.hours[1] if row.hours else None,
        "night_calls_consent_at": row.night_calls_consent_at,
    }


def _row(row: Row[*tuple[Any, ...]]) -> PersonRow:
    id_, kind, code, name, name_en, language, left_at, version, place_id, hours_from, hours_to, night = row
    return PersonRow(
        id_,
        PersonKind(kind),
        code,
        name,
        name_en,
        Language(language),
        left_at,
        version,
        place_id,
        None if hours_from is None or hours_to is None else (hours_from, hours_to),
        night,
    )


def _contact(row: Row[*tuple[Any, ...]]) -> ContactRow:
    id_, person_id, channel, address, verified_at, opted_out_at, *marks = row
    return ContactRow(id_, person_id, Channel(channel), address, verified_at, opted_out_at, marks_of(*marks))
