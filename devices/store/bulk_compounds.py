"""The columns that say what a compound is: type, property company, committee, units. Writes only the staging file."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from devices.bulk.cells import clean
from devices.bulk.columns import COMMITTEES, COMPOUND_KINDS
from devices.bulk.faults import nearest
from devices.bulk.heads import Table
from devices.bulk.values import Bad, choice, name_fault
from devices.model import OrganisationKind
from devices.store.bulk_tree import COMPOUND, Node
from devices.store.bulk_work import CHANGE, CREATE, SAME_AS_IS, Work
from devices.store.tables_places import compounds, organisations

COLUMNS = ("compound_type", "property_company", "committee", "supervising_unit", "partner_unit")
_ORGANISATION = {
    "property_company": OrganisationKind.PROPERTY_COMPANY,
    "supervising_unit": OrganisationKind.UNIT,
    "partner_unit": OrganisationKind.UNIT,
}
_KNOWN = select(organisations.c.id, organisations.c.kind, organisations.c.code, organisations.c.name)
_COMPOUNDS = select(
    compounds.c.place_id,
    compounds.c.type,
    compounds.c.property_company_id,
    compounds.c.committee,
    compounds.c.supervising_unit_id,
    compounds.c.partner_unit_id,
)


class CompoundColumns:
    """What the rows of one sheet say of their compounds; each compound is told of once, however many rows repeat it."""

    def __init__(self, work: Work, table: Table) -> None:
        self._work = work
        self._table = table
        self._at = [(name, table.at[name]) for name in COLUMNS if name in table.at]
        self._cells = [index for _, index in self._at]
        self._before: tuple[int, list[str]] | None = None
        self._said: dict[str, tuple[str, dict[str, tuple[str, int]]]] = {}
        """Compound id -> its path, and of each column what was said in which row. Its node would hold all below it."""
        self._known: dict[tuple[str, str], str] = {}
        if self._at:
            for id_, kind, code, name in work.conn.execute(_KNOWN):
                self._known.setdefault((kind, name), id_)
                self._known[kind, code] = id_

    def row(self, number: int, cells: Sequence[str], stack: list[Node]) -> None:
        if not self._at:
            return
        raw = [cells[index] for index in self._cells]
        if not any(raw):
            return
        compound = next((node for node in reversed(stack) if node.kind <= COMPOUND), None)
        if self._before is not None and compound is not None and self._before == (compound.n, raw):
            return
        said = {name: text for (name, _), cell in zip(self._at, raw, strict=True) if (text := clean(cell))}
        if not said:
            return
        if compound is None or compound.kind != COMPOUND:
            for name in said:
                self._work.fault(self._table, number, name, "compound_missing", column=name)
            return
        self._before = (compound.n, raw)
        _, values = self._said.setdefault(compound.id, (compound.path, {}))
        for name, text in said.items():
            value = self._value(number, name, text)
            if value is not None and values.setdefault(name, (value, number))[0] != value:
                self._work.fault(self._table, number, name, "contradiction", other=f"#{values[name][1]}")

    def _value(self, number: int, name: str, text: str) -> str | None:
        """The value as it is stored; an organisation's id."""
        words = {"compound_type": COMPOUND_KINDS, "committee": COMMITTEES}.get(name)
        if words is not None:
            found = choice(text, words)
            if isinstance(found, Bad):
                self._work.bad(self._table, number, name, found, nearest(text, words))
                return None
            return found
        bad = name_fault(text)
        if bad is not None:
            self._work.bad(self._table, number, name, bad)
            return None
        kind = _ORGANISATION[name].value
        known = self._known.get((kind, text))
        if known is None and not self._work.scope.everything:
            near = self._work.near(text, lambda: [each for of, each in self._known if of == kind])
            self._work.fault(self._table, number, name, "unknown_organisation", near, value=text)
            return None
        if known is None:
            known = self._known[kind, text] = self._work.ids()
            self._work.stage.step("organisation_add", known, kind, f"org-{known}", text, "")
            self._work.counts.add("organisations", CREATE)
        return known

    def finish(self) -> None:
        """Every row was read: compare with what the registry says."""
        if not self._said:
            return
        before = {row[0]: row[1:] for row in self._work.conn.execute(_COMPOUNDS) if row[0] in self._said}
        for id_, (path, said) in self._said.items():
            old: Sequence[Any] | None = before.get(id_)
            values = list(old) if old is not None else [None, None, "none", None, None]
            for position, name in enumerate(COLUMNS):
                if name in said:
                    values[position] = said[name][0]
            if old is not None and list(old) == values:
                self._work.counts.add("compounds", SAME_AS_IS)
            elif not self._work.scope.covers(path):
                row = next(iter(said.values()))[1]
                self._work.fault(self._table, row, None, "outside_scope")
            else:
                self._work.stage.step("compound_add" if old is None else "compound_change", id_, *values)
                self._work.counts.add("compounds", CREATE if old is None else CHANGE)
