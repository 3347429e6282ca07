"""A supplier's box list as stock: all rows or none, each fault with its row and field. Never asks once per row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from api.errors import FieldError, Problem
from api.schemas.devices import BoxRow
from devices.identities import Identity, IdentityFault, name_for, normal
from devices.model import Device, DeviceState
from devices.store import devices, identities, models
from devices.store.devices import DeviceRow
from devices.store.models import ModelRow


@dataclass(frozen=True, slots=True)
class Stocked:
    """`ids` in the order of the list; `created` are those that are new."""

    ids: tuple[str, ...]
    created: tuple[str, ...]


@dataclass(slots=True)
class _Line:
    """One row of the list on its way."""

    pointer: str
    body: BoxRow
    model: ModelRow
    named: tuple[Identity, ...]
    id: str = ""


def stock(conn: Connection, items: Sequence[BoxRow], now: datetime, accounts: frozenset[str]) -> Stocked:
    """Problem 422 with every row at fault; nothing is written then."""
    faults: list[FieldError] = []
    lines = _read(conn, items, faults)
    held: dict[str, list[tuple[Identity, str]]] = {}
    for identity, device_id in identities.named(conn, {one.value for line in lines for one in line.named}):
        held.setdefault(identity.value, []).append((identity, device_id))
    fresh = [line for line in lines if not _is_known(conn, line, held, faults)]
    _name(conn, fresh, accounts, faults)
    if faults:
        raise Problem(422, "invalid", errors=tuple(faults))
    devices.insert_many(conn, [_row(line, now) for line in fresh])
    return Stocked(tuple(line.id for line in lines), tuple(line.id for line in fresh))


def _read(conn: Connection, items: Sequence[BoxRow], faults: list[FieldError]) -> list[_Line]:
    """The rows whose model and identities stand, each identity once in the list."""
    known: dict[str, ModelRow | None] = {}
    values: dict[str, list[Identity]] = {}
    lines = []
    for index, body in enumerate(items):
        pointer = f"#/items/{index}"
        if body.model not in known:
            known[body.model] = models.find(conn, body.model)
        model = known[body.model]
        if model is None:
            faults.append(FieldError(f"{pointer}/model", "unknown_reference", {"value": body.model}))
            continue
        named = _identities(body, model, pointer, values, faults)
        lines.append(_Line(pointer, body, model, named))
    return lines


def _identities(
    body: BoxRow, model: ModelRow, pointer: str, values: dict[str, list[Identity]], faults: list[FieldError]
) -> tuple[Identity, ...]:
    kept = []
    for place, one in enumerate(body.identities):
        where = f"{pointer}/identities/{place}/value"
        value = normal(one.kind, one.value)
        if isinstance(value, IdentityFault):
            faults.append(FieldError(where, value.code, value.names))
            continue
        identity = Identity(one.kind, value, one.dialect or model.dialect)
        before = values.setdefault(value, [])
        if any(identities.same(other, identity) for other in before):
            faults.append(FieldError(where, "identity_twice", {"value": value}))
            continue
        before.append(identity)
        kept.append(identity)
    return tuple(kept)


def _is_known(
    conn: Connection, line: _Line, held: dict[str, list[tuple[Identity, str]]], faults: list[FieldError]
) -> bool:
    """Whether this row is registered already. One that clashes with what is counts as known, and its fault is told."""
    holders = {
        device_id
        for one in line.named
        for identity, device_id in held.get(one.value, ())
        if identities.same(identity, one)
    }
    if not holders:
        return False
    row = devices.get(conn, min(holders))
    assert row is not None, "an identity leads to its device"
    line.id = row.id
    unlike = [one for one in line.named if not any(identities.same(one, known) for known in row.identities)]
    names = {"value": line.named[0].value, "device": row.id}
    if row.model_id != line.model.id:
        faults.append(FieldError(f"{line.pointer}/model", "model_differs", {"value": row.model or "-"}))
    elif len(holders) > 1 or unlike:
        faults.append(FieldError(f"{line.pointer}/identities", "identity_taken", names))
    elif line.body.id not in (None, row.id):
        faults.append(FieldError(f"{line.pointer}/id", "identity_taken", names))
    return True


def _name(conn: Connection, lines: list[_Line], accounts: frozenset[str], faults: list[FieldError]) -> None:
    """Each new device gets the wanted name, or one made of its first identity; no name twice."""
    for line in lines:
        line.id = line.body.id or next((name for one in line.named if (name := name_for(one))), "")
    used = devices.existing(conn, [line.id for line in lines]) | accounts
    for line in lines:
        if not line.id:
            if line.named:
                faults.append(FieldError(f"{line.pointer}/id", "name_needed"))
        elif line.id in used:
            faults.append(FieldError(f"{line.pointer}/id", "taken", {"value": line.id}))
        used.add(line.id)


def _row(line: _Line, now: datetime) -> DeviceRow:
    model = line.model
    device = Device(line.id, model.kind, None, DeviceState.REGISTERED, model.codec, None, model.supervision_window_s)
    return DeviceRow(device, now, model_id=model.id, identities=line.named)
