"""Queries on the contact persons of flats: the one way to a person of kind household. Never in a list of people, on
duty, or in a text; without consent in force a contact is not read for use.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    ScalarSelect,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from devices.model import Channel, HouseholdContact, Language, PersonKind, Relation
from devices.store.lists import one_of
from devices.store.pages import after_id
from devices.store.scope import EVERYTHING, SEPARATOR, Scope
from devices.store.tables import contact_points, people, places
from devices.store.tables_places import households
from devices.store.types import Instant


@dataclass(frozen=True, slots=True)
class HouseholdRow:
    """One contact person of one flat. Withdrawn is removed: name and number are kept nowhere."""

    id: str
    place_id: str
    name: str
    relation: Relation
    phone: str | None
    """E.164."""
    consent_at: datetime
    consent_until: datetime
    consent_how: str
    needs_help_leaving: bool = False
    language: Language = Language.ZH_CN
    version: int = 1
    result_messages: bool = False
    """Agreed to hear by text how it ended."""
    verified_at: datetime | None = None
    """When somebody at this number said that it is right; only then it is called by itself. Another number ends it."""

    def in_force(self, now: datetime) -> bool:
        return self.consent_at <= now < self.consent_until


@dataclass(frozen=True, slots=True)
class ToCall:
    """A contact person of a flat that burns, as those need it who go there."""

    household: HouseholdRow
    flat_name: str
    flat_path: tuple[str, ...]


_H = households.c


def _of_point(column: Column[Any]) -> ScalarSelect[Any]:
    """A column of the person's one contact point."""
    mine = select(column).where(contact_points.c.person_id == people.c.id).order_by(contact_points.c.id).limit(1)
    return mine.correlate(people).scalar_subquery()


_COLUMNS = (
    people.c.id,
    _H.place_id,
    people.c.name,
    _H.relation,
    _of_point(contact_points.c.address),
    _H.consent_at,
    _H.consent_until,
    _H.consent_how,
    _H.needs_help_leaving,
    people.c.language,
    people.c.version,
    _H.result_messages,
    _of_point(contact_points.c.verified_at),
)
_WHO = households.join(people, people.c.id == _H.person_id)
_SELECT = select(*_COLUMNS).select_from(_WHO)
_TO_CALL = select(*_COLUMNS, places.c.name, places.c.path).select_from(_WHO.join(places, places.c.id == _H.place_id))
_REACHED = (
    select(
        people.c.id,
        _H.place_id,
        _H.relation,
        contact_points.c.address,
        people.c.language,
        _H.needs_help_leaving,
        _H.result_messages,
        _H.consent_at,
        _H.consent_until,
    )
    .select_from(_WHO.join(contact_points, contact_points.c.person_id == people.c.id))
    .where(
        one_of(_H.place_id, "place_ids"),
        _H.consent_at <= bindparam("now", type_=Instant()),
        _H.consent_until > bindparam("now", type_=Instant()),
        or_(people.c.left_at.is_(None), people.c.left_at > bindparam("now", type_=Instant())),
        contact_points.c.verified_at.is_not(None),
        contact_points.c.opted_out_at.is_(None),
    )
    .order_by(func.coalesce(_H.needs_help_leaving, 0).desc(), people.c.id)
)
_ANY = select(_H.person_id).limit(1)


def insert_many(conn: Connection, rows: Iterable[HouseholdRow]) -> None:
    """IntegrityError for an id that exists, or a place that does not."""
    for row in rows:
        person = {"id": row.id, "code": row.id, "kind": PersonKind.HOUSEHOLD.value, "version": row.version}
        conn.execute(insert(people).values(**person, **_person_values(row)))
        conn.execute(insert(households).values(person_id=row.id, **_values(row)))
        _put_phone(conn, row)


def get(conn: Connection, household_id: str) -> HouseholdRow | None:
    row = conn.execute(_SELECT.where(people.c.id == household_id)).first()
    return None if row is None else _row(row)


def update_one(conn: Connection, row: HouseholdRow) -> bool:
    """Write the row over its `version`, which goes up by one; False when somebody else was faster."""
    mine = update(people).where(people.c.id == row.id, people.c.version == row.version)
    if conn.execute(mine.values(**_person_values(row), version=row.version + 1)).rowcount != 1:
        return False
    conn.execute(update(households).where(_H.person_id == row.id).values(**_values(row)))
    conn.execute(delete(contact_points).where(contact_points.c.person_id == row.id))
    _put_phone(conn, row)
    return True


def remove(conn: Connection, household_id: str, version: int) -> bool:
    """Name, number and consent are gone; False when somebody else changed it."""
    mine = (people.c.id == household_id, people.c.kind == PersonKind.HOUSEHOLD.value, people.c.version == version)
    if conn.execute(select(people.c.id).where(*mine).with_for_update()).first() is None:
        return False
    conn.execute(delete(contact_points).where(contact_points.c.person_id == household_id))
    conn.execute(delete(households).where(_H.person_id == household_id))
    return conn.execute(delete(people).where(*mine)).rowcount == 1


def flats_page(
    conn: Connection, after: str | None, limit: int, *, under: Scope = EVERYTHING, within: Scope = EVERYTHING
) -> list[tuple[str, list[HouseholdRow]]]:
    """Flats that have contacts, in order of ids, at most 500, each with all of them, expired ones too."""
    seen = (within.at_place(_H.place_id), under.at_place(_H.place_id))
    asked = after_id(select(_H.place_id).where(*seen).distinct(), _H.place_id, after, limit)
    flats: dict[str, list[HouseholdRow]] = {place_id: [] for place_id in conn.scalars(asked)}
    if flats:
        for row in conn.execute(_SELECT.where(_H.place_id.in_(list(flats))).order_by(people.c.id)):
            flats[row[1]].append(_row(row))
    return list(flats.items())


def to_call(conn: Connection, path: str, now: datetime, limit: int, *, within: Scope = EVERYTHING) -> list[ToCall]:
    """Whose consent is in force at `now`, at this place or below it: who needs help leaving first, then by flat."""
    here = Scope((path,)).on_path(places.c.path)
    query = _TO_CALL.where(here, within.on_path(places.c.path), _in_force(now))
    ordered = query.order_by(_H.needs_help_leaving.desc(), places.c.path, people.c.id).limit(limit)
    return [ToCall(_row(row[:-2]), row[-2], tuple(row[-1].split(SEPARATOR))) for row in conn.execute(ordered)]


def any_at_all(conn: Connection) -> bool:
    return conn.execute(_ANY).first() is not None


def reachable(conn: Connection, place_ids: Collection[str], now: datetime) -> dict[str, tuple[HouseholdContact, ...]]:
    """Of these flats: whose consent is in force and whose number is verified, who needs help leaving first. No name."""
    found: dict[str, list[HouseholdContact]] = {}
    if place_ids:
        for row in conn.execute(_REACHED, {"place_ids": list(place_ids), "now": now}):
            found.setdefault(row[1], []).append(_reached(row))
    return {place_id: tuple(contacts) for place_id, contacts in found.items()}


def _reached(row: "Row[*tuple[Any, ...]]") -> HouseholdContact:
    id_, place_id, relation, phone, language, needs_help, results, consent_at, consent_until = row
    return HouseholdContact(
        id_,
        place_id,
        Relation(relation),
        phone,
        Language(language),
        bool(needs_help),
        bool(results),
        consent_at,
        consent_until,
    )


def _in_force(now: datetime) -> ColumnElement[bool]:
    """As `HouseholdRow.in_force`; a row without consent is not."""
    return and_(_H.consent_at <= now, _H.consent_until > now, or_(people.c.left_at.is_(None), people.c.left_at > now))


def _put_phone(conn: Connection, row: HouseholdRow) -> None:
    if row.phone is not None:
        point = {
            "id": row.id,
            "person_id": row.id,
            "channel": Channel.VOICE.value,
            "address": row.phone,
            "verified_at": row.verified_at,
        }
        conn.execute(insert(contact_points).values(**point))


def _person_values(row: HouseholdRow) -> dict[str, Any]:
    return {"name": row.name, "name_en": "", "language": row.language.value, "place_id": row.place_id}


def _values(row: HouseholdRow) -> dict[str, Any]:
    return {
        "place_id": row.place_id,
        "relation": row.relation.value,
        "needs_help_leaving": int(row.needs_help_leaving),
        "consent_at": row.consent_at,
        "consent_until": row.consent_until,
        "consent_how": row.consent_how,
        "result_messages": int(row.result_messages),
    }


def _row(row: "Row[*tuple[Any, ...]] | tuple[Any, ...]") -> HouseholdRow:
    id_, place_id, name, relation, phone, at, until, how, needs_help, language, version, results, verified_at = row
    return HouseholdRow(
        id_,
        place_id,
        name,
        Relation(relation),
        phone,
        at,
        until,
        how,
        bool(needs_help),
        Language(language),
        version,
        bool(results),
        verified_at,
    )
