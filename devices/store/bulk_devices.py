"""A device's columns: id, model, identity, state; it hangs at the row's place. Writes only the staging file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select

from devices.bulk.cells import clean, code
from devices.bulk.columns import STATES
from devices.bulk.faults import nearest
from devices.bulk.heads import Table
from devices.bulk.values import DEVICE_ID, KIND, Bad, choice, identity
from devices.lifecycle import By, Illegal, illegal
from devices.model import DeviceState, IdentityKind
from devices.store.bulk_stage import CHANGED, NEW
from devices.store.bulk_tree import Node
from devices.store.bulk_work import CHANGE, CREATE, SAME_AS_IS, Work
from devices.store.lists import one_of
from devices.store.tables import devices, places
from devices.store.tables_devices import device_identities, device_models

DEFAULT_CODEC = "gengfu_plain"
DEFAULT_STATE = DeviceState.REGISTERED.value

_MODELS = select(
    device_models.c.code,
    device_models.c.id,
    device_models.c.kind,
    device_models.c.codec,
    device_models.c.supervision_window_s,
    device_models.c.dialect,
)
_KNOWN = (
    select(
        devices.c.id,
        devices.c.kind,
        devices.c.codec,
        devices.c.place_id,
        devices.c.state,
        devices.c.supervision_window_s,
        devices.c.model_id,
        devices.c.gateway_id,
        devices.c.created_at,
        places.c.path,
    )
    .select_from(devices.outerjoin(places, places.c.id == devices.c.place_id))
    .where(one_of(devices.c.id, "ids"))
)
_TAKEN = select(device_identities.c.dialect, device_identities.c.external_id, device_identities.c.device_id)
_OTHER = ("model", "kind", "identity", "state", "gateway")


@dataclass(frozen=True, slots=True)
class Model:
    id: str | None
    kind: str
    codec: str
    window: int | None
    dialect: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """A device of the registry."""

    kind: str
    codec: str
    place_id: str | None
    state: str
    window: int | None
    model_id: str | None
    gateway: str | None
    created_at: datetime
    path: str | None


class DeviceColumns:
    """The device columns of one places sheet."""

    def __init__(self, work: Work, table: Table) -> None:
        self._work = work
        self._table = table
        self._src = work.tables.index(table)
        at = table.at
        self._device = at.get("device")
        self._model, self._kind = at.get("model"), at.get("kind")
        self._identity, self._state = at.get("identity"), at.get("state")
        self._gateway = at.get("gateway")
        self._others = [(name, at[name]) for name in _OTHER if name in at]
        self._empty = work.conn.scalar(select(devices.c.id).limit(1)) is None
        self._models = {code: Model(*values) for code, *values in work.conn.execute(_MODELS)}
        self._dialects = sorted({model.dialect for model in self._models.values() if model.dialect})
        self._usual: dict[tuple[str, str], Model] = {}
        """What a new device is, by its cells for model and kind."""
        self._known: dict[str, Known] = {}
        self._identities: dict[str, tuple[IdentityKind, str] | Bad] = {}
        self._taken: dict[tuple[str, str], str] = {}

    def look_up(self, chunk: list[Sequence[str]]) -> None:
        """What the registry knows of the devices and identities of some rows, at once."""
        if self._device is None:
            return
        if not self._empty:
            ids = [name for cells in chunk if (name := code(cells[self._device]))]
            self._known = {id_: Known(*values) for id_, *values in self._work.conn.execute(_KNOWN, {"ids": ids})}
        if self._identity is not None:
            raw = {text for cells in chunk for text in _several(cells[self._identity])}
            self._identities = {text: identity(text) for text in raw}
            self._taken = self._owners([each[1] for each in self._identities.values() if not isinstance(each, Bad)])

    def _owners(self, external: list[str]) -> dict[tuple[str, str], str]:
        if self._empty or not external:
            return {}
        mine = [
            and_(device_identities.c.dialect == dialect, one_of(device_identities.c.external_id, "ids"))
            for dialect in self._dialects
        ]
        found = self._work.conn.execute(_TAKEN.where(or_(*mine)), {"ids": external}) if mine else ()
        return {(dialect, external_id): device_id for dialect, external_id, device_id in found}

    def row(self, number: int, cells: Sequence[str], node: Node | None) -> bool:
        """The row's device, placed at `node`. False: the row names none."""
        name = code(cells[self._device]) if self._device is not None else ""
        if not name:
            for column, index in self._others:
                if cells[index].strip():
                    self._no(number, column, "device_missing", column=column)
            return False
        if name in self._work.reserved:
            self._no(number, "device", "device_taken", value=name)
            return True
        if not DEVICE_ID.fullmatch(name):
            self._no(number, "device", "bad_device", value=name)
            return True
        known = self._known.get(name) if not self._empty else None
        scope = self._work.scope
        if not scope.everything:
            if known is not None and not scope.covers(known.path):
                self._no(number, "device", "device_taken", value=name)
                return True
            if not scope.covers(node.path if node is not None else known.path if known is not None else None):
                self._no(number, None, "outside_scope")
                return True
        model = self._model_of(number, cells, known)
        state = self._state_of(number, cells)
        if model is not None and state is not None:
            self._plan(number, name, node, known, model, state, self._gateway_of(cells, known))
            for text in _several(cells[self._identity]) if self._identity is not None else ():
                self._name(number, name, text, model)
        return True

    def _gateway_of(self, cells: Sequence[str], known: Known | None) -> str | None:
        """Looked up at the end: it may stand further down. An empty cell leaves what is known."""
        wanted = code(cells[self._gateway]) if self._gateway is not None else ""
        return wanted or (known.gateway if known is not None else None)

    def _plan(
        self,
        number: int,
        name: str,
        node: Node | None,
        known: Known | None,
        model: Model,
        state: str,
        gateway: str | None,
    ) -> None:
        place_id = node.id if node is not None else known.place_id if known is not None else None
        if known is None:
            values = (name, model.kind, model.codec, place_id, state or DEFAULT_STATE, model.window, model.id, gateway)
            self._work.stage.add_device((*values, NEW, self._src, number))
            self._work.counts.add("devices", CREATE)
            return
        moved = place_id != known.place_id
        after = self._after(number, known, state, moved)
        wanted = (model.kind, model.codec, place_id, after, model.window, model.id, gateway)
        if after is None:
            return
        was = (known.kind, known.codec, known.place_id, known.state, known.window, known.model_id, known.gateway)
        if wanted == was:
            self._work.counts.add("devices", SAME_AS_IS)
            self._work.stage.add_device((name, *wanted, 1, self._src, number))
            return
        self._work.stage.add_device((name, *wanted, CHANGED, self._src, number))
        self._work.counts.add("devices", CHANGE)
        if moved:
            self._work.stage.step("placement_end", name)
            self._work.stage.step("placement_add", name, known.place_id, known.created_at.isoformat(), place_id)

    def _after(self, number: int, known: Known, state: str, moved: bool) -> str | None:
        """The state a known device comes to; what was tested at another place says nothing here."""
        before = DeviceState(known.state)
        if moved and before in (DeviceState.COMMISSIONED, DeviceState.OUT_OF_SERVICE):
            before = DeviceState.INSTALLED
        after = DeviceState(state) if state else before
        if after is before:
            return after.value
        why = illegal(before, after, By.EDIT)
        if why is None and DeviceState.REMOVED not in (before, after):  # a removal does more than a file can say
            return after.value
        code = "needs_walk_test" if why is Illegal.NEEDS_WALK_TEST else "bad_move"
        self._no(number, "state", code, before=before.value, after=after.value)
        return None

    def _model_of(self, number: int, cells: Sequence[str], known: Known | None) -> Model | None:
        """What the model or, without one, the kind says; None: a fault was told."""
        model_cell = cells[self._model] if self._model is not None else ""
        kind_cell = cells[self._kind] if self._kind is not None else ""
        if known is not None:
            return self._model_read(number, code(model_cell), kind_cell.strip(), known)
        usual = self._usual.get((model_cell, kind_cell))
        if usual is None:
            usual = self._model_read(number, code(model_cell), kind_cell.strip(), None)
            if usual is not None:
                self._usual[model_cell, kind_cell] = usual
        return usual

    def _model_read(self, number: int, wanted: str, kind: str, known: Known | None) -> Model | None:
        if kind and not KIND.fullmatch(kind):
            self._no(number, "kind", "bad_kind", value=kind)
            return None
        if wanted:
            model = self._models.get(wanted)
            if model is None:
                self._no(number, "model", "unknown_model", self._work.near(wanted, lambda: self._models), value=wanted)
                return None
            return model if kind in ("", model.kind) else replace(model, kind=kind)
        if known is not None:
            dialect = next((each.dialect for each in self._models.values() if each.id == known.model_id), None)
            return Model(known.model_id, kind or known.kind, known.codec, known.window, dialect)
        if not kind:
            self._no(number, "kind" if self._kind is not None else "device", "kind_missing")
            return None
        return Model(None, kind, DEFAULT_CODEC, None, None)

    def _state_of(self, number: int, cells: Sequence[str]) -> str | None:
        """The state's word, "" for an empty cell, None: a fault was told."""
        text = cells[self._state].strip() if self._state is not None else ""
        if not text:
            return ""
        found = choice(text, STATES)
        if isinstance(found, Bad):
            self._work.bad(self._table, number, "state", found, nearest(text, STATES))
            return None
        return found

    def _name(self, number: int, device_id: str, text: str, model: Model) -> None:
        """The device's identity under its model's dialect."""
        found = self._identities[text]
        if isinstance(found, Bad):
            self._work.bad(self._table, number, "identity", found)
            return
        if model.dialect is None:
            self._no(number, "identity", "identity_needs_model")
            return
        kind, external = found
        owner = self._taken.get((model.dialect, external))
        if owner is not None and owner != device_id:
            shown = owner if self._work.scope.everything else "?"
            self._no(number, "identity", "identity_taken", value=text, other=shown)
            return
        state = NEW if owner is None else 1
        self._work.stage.add_identity((model.dialect, external, kind.value, device_id, state, self._src, number))
        self._work.counts.add("identities", CREATE if owner is None else SAME_AS_IS)

    def _no(self, number: int, column: str | None, code: str, near: str | None = None, /, **names: Any) -> Any:
        return self._work.fault(self._table, number, column, code, near, **names)


def _several(cell: str) -> list[str]:
    """A device may have several identities, with semicolons between."""
    return [text for part in cell.split(";") if (text := clean(part))] if cell else []


_TWICE = {
    "device_twice": (
        "device",
        "SELECT d.src, d.row, d.id, f.row FROM device d JOIN (SELECT id, min(n) AS first FROM device GROUP BY id"
        " HAVING count(*) > 1) t ON t.id = d.id AND d.n > t.first JOIN device f ON f.n = t.first",
    ),
    "identity_twice": (
        "identity",
        "SELECT d.src, d.row, d.external_id, f.row FROM identity d JOIN (SELECT dialect, external_id, min(n) AS first"
        " FROM identity GROUP BY dialect, external_id HAVING count(*) > 1) t ON t.dialect = d.dialect"
        " AND t.external_id = d.external_id AND d.n > t.first JOIN identity f ON f.n = t.first",
    ),
    "code_twice": (
        "code",
        "SELECT d.src, d.row, d.code, f.row FROM node d JOIN (SELECT code, min(n) AS first FROM node"
        " WHERE code IS NOT NULL GROUP BY code HAVING count(*) > 1) t ON t.code = d.code AND d.n > t.first"
        " JOIN node f ON f.n = t.first",
    ),
}


def find_twice(work: Work) -> None:
    """What stands twice in the files: ids of devices, identities, codes of places."""
    for word, (column, sql) in _TWICE.items():
        for src, row, value, other in work.stage.query(sql):
            work.faults.add(work.tables[src].fault(row, column, word, value=value, other=other))
