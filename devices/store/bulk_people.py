"""The people sheet: who there is, where they belong, how they are reached. Writes only the staging file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from devices.bulk.cells import clean
from devices.bulk.columns import CHANNELS, LANGUAGES, PERSON_KINDS
from devices.bulk.faults import nearest
from devices.bulk.heads import Table
from devices.bulk.values import (
    CODE,
    Bad,
    choice,
    instant,
    latin_fault,
    name_fault,
    night,
    person_name_en_chars_max,
    split,
)
from devices.model import Channel, Language, PersonKind
from devices.phones import normalise
from devices.store.bulk_references import Places
from devices.store.bulk_work import CHANGE, CREATE, SAME_AS_IS, Work
from devices.store.tables import contact_points, people, places

_PEOPLE = (
    select(
        people.c.id,
        people.c.code,
        people.c.kind,
        people.c.name,
        people.c.name_en,
        people.c.language,
        people.c.left_at,
        people.c.place_id,
        people.c.hours_from,
        people.c.hours_to,
        people.c.night_calls_consent_at,
        places.c.path,
    )
    .select_from(people.outerjoin(places, places.c.id == people.c.place_id))
    .where(people.c.kind != PersonKind.HOUSEHOLD.value)
)
_HOUSEHOLD_CODES = select(people.c.code).where(people.c.kind == PersonKind.HOUSEHOLD.value)
_CONTACTS = select(
    contact_points.c.id, contact_points.c.person_id, contact_points.c.channel, contact_points.c.address
).order_by(contact_points.c.id)
HIDDEN = "*"
_PHONES = (Channel.SMS.value, Channel.VOICE.value)


@dataclass(slots=True)
class Person:
    """Somebody as the import sees him. `values`: kind, name, name_en, language, left_at, place_id, hours_from,
    hours_to, night_calls_consent_at."""

    id: str
    values: list[Any]
    known: bool
    visible: bool
    row: int = 0
    contacts: list[tuple[str, str, str]] = field(default_factory=list)
    """(id, channel, address) in the order in which they are tried."""


class People:
    """Everybody of the registry (households aside) and of the files, by code."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._by_code: dict[str, Person] = {}
        self._households = frozenset(work.conn.scalars(_HOUSEHOLD_CODES))
        by_id: dict[str, Person] = {}
        for id_, code, *values, path in work.conn.execute(_PEOPLE):
            by_id[id_] = self._by_code[code] = Person(id_, list(values), True, work.scope.covers(path))
        for contact_id, person_id, channel, address in work.conn.execute(_CONTACTS):
            if person_id in by_id:
                by_id[person_id].contacts.append((contact_id, channel, address))

    def id_of(self, code: str) -> str | None:
        """The person with this code, within the scope."""
        person = self._by_code.get(code)
        return person.id if person is not None and person.visible else None

    def codes(self) -> Sequence[str]:
        return [code for code, person in self._by_code.items() if person.visible]

    def read(self, table: Table, place_refs: Places) -> None:
        for chunk in self._work.chunks(table):
            for number, cells in chunk:
                told = {name: clean(cells[index]) for name, index in table.at.items()}
                self._row(table, number, told, place_refs)

    def _row(self, table: Table, number: int, told: dict[str, str], place_refs: Places) -> None:
        work, code = self._work, told["code"]
        if not CODE.fullmatch(code):
            work.fault(table, number, "code", "bad_code" if code else "missing", value=code, column="code")
            return
        person = self._by_code.get(code)
        if person is not None and person.row:
            work.fault(table, number, "code", "code_twice", value=code, other=person.row)
            return
        if code in self._households or (person is not None and not person.visible):
            work.fault(table, number, "code", "person_taken", value=code)
            return
        before = person.values if person is not None else [PersonKind.WORKER, "", "", Language.ZH_CN, *[None] * 5]
        values = self._values(table, number, told, list(before), place_refs)
        if person is None:
            person = self._by_code[code] = Person(work.ids(), [], False, True)
        person.row = number
        reached = self._reached(table, number, told, person)
        if values is None or reached is None:
            return
        self._plan(code, person, values, reached)

    def _plan(self, code: str, person: Person, values: list[Any], reached: list[tuple[Any, ...]]) -> None:
        work = self._work
        written = [value.isoformat() if isinstance(value, datetime) else value for value in values]
        if not person.known:
            work.stage.step("person_add", person.id, code, *written)
        elif values != person.values or reached:
            work.stage.step("person_change", person.id, *written)
        for op, *args in reached:
            work.stage.step(op, *args)
        same = person.known and values == person.values and not reached
        person.values = values
        work.counts.add("people", SAME_AS_IS if same else CHANGE if person.known else CREATE)

    def _values(
        self, table: Table, number: int, told: dict[str, str], values: list[Any], place_refs: Places
    ) -> list[Any] | None:
        """The person's values with what the row says; None: a fault was told."""
        work = self._work
        name, name_en = told.get("name", ""), told.get("name_en", "")
        if not name:
            work.fault(table, number, "name", "missing", column="name")
            return None
        for column, bad in (("name", name_fault(name)), ("name_en", latin_fault(name_en, person_name_en_chars_max))):
            if bad is not None:
                work.bad(table, number, column, bad)
                return None
        values[1], values[2] = name, name_en or values[2]
        for position, column, words in ((0, "kind", PERSON_KINDS), (3, "language", LANGUAGES)):
            text = told.get(column, "")
            if column == "kind" and text.lower() in ("household", "住户"):
                work.fault(table, number, column, "household")
                return None
            found = choice(text, words) if text else str(values[position])
            if isinstance(found, Bad):
                work.bad(table, number, column, found, nearest(text, words))
                return None
            values[position] = found
        if not self._times(table, number, told, values):
            return None
        if told.get("place"):
            values[5] = place_refs.find(table, number, "place", told["place"])
            return values if values[5] is not None else None
        if values[5] is None and not work.scope.everything:
            work.fault(table, number, "place" if "place" in table.at else None, "outside_scope")
            return None
        return values

    def _times(self, table: Table, number: int, told: dict[str, str], values: list[Any]) -> bool:
        """Put the row's times among the values. False: a fault was told."""
        for position, column in ((4, "left_at"), (8, "night_calls_consent_at")):
            at = instant(told[column], self._work.zone) if told.get(column) else values[position]
            if isinstance(at, Bad):
                self._work.bad(table, number, column, at)
                return False
            values[position] = at
        if told.get("hours"):
            period = night(told["hours"])
            if isinstance(period, Bad):
                self._work.fault(table, number, "hours", "bad_hours", value=told["hours"])
                return False
            values[6:8] = period
        return True

    def _number(self, table: Table, number: int, phone: str, person: Person) -> str | None:
        """The whole number; a hidden one stands for one that the person has. None: a fault was told."""
        if HIDDEN not in phone:
            address = normalise(phone)
            if address is None:
                self._work.fault(table, number, "phone", "bad_phone", value=phone)
            return address
        for _, channel, address in person.contacts:
            if channel in _PHONES and self._work.mask(address) == phone:
                return address
        self._work.fault(table, number, "phone", "masked_phone", value=phone)
        return None

    def _reached(self, table: Table, number: int, told: dict[str, str], person: Person) -> list[tuple[Any, ...]] | None:
        """What must change so that the person is reached as the row says; None: a fault was told."""
        work, phone = self._work, told.get("phone", "")
        address = self._number(table, number, phone, person) if phone else None
        if phone and address is None:
            return None
        channels: list[str] = []
        for word in split(told.get("channels", "")):
            found = choice(word, CHANNELS)
            if isinstance(found, Bad):
                work.bad(table, number, "channels", found, nearest(word, CHANNELS))
                return None
            channels.append(found)
        if not channels:
            return self._changes(person, list(_PHONES), address, keep=True) if address else []
        held = {channel for _, channel, _ in person.contacts}
        lacking = next((each for each in channels if each in _PHONES and not address and each not in held), None)
        if lacking is not None:
            work.fault(table, number, "channels", "phone_missing", value=lacking)
            return None
        return self._changes(person, channels, address, keep=False)

    def _changes(
        self, person: Person, channels: list[str], address: str | None, *, keep: bool
    ) -> list[tuple[Any, ...]]:
        """`keep`: channels that are not named stay."""
        changes: list[tuple[Any, ...]] = []
        for channel in dict.fromkeys(channels):
            mine = [contact for contact in person.contacts if contact[1] == channel]
            wanted = person.id if channel == Channel.APP.value else address
            if wanted is None or any(contact[2] == wanted for contact in mine):
                continue
            if mine:
                changes.append(("contact_change", mine[0][0], wanted))
            else:
                changes.append(("contact_add", self._work.ids(), person.id, channel, wanted))
        if not keep:
            changes += [("contact_remove", each[0]) for each in person.contacts if each[1] not in channels]
        return changes
