"""Enrolment 扫码安装 and replacement: from a label's text to a device at its place, in the caller's transaction.
Refuses with the field at fault and the remedy; never sees a secret.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from alerting.ports import Conflict
from api.device_views import faulty, may_see
from api.errors import Problem, conflict, invalid
from api.references import unknown
from devices.identities import Identity, IdentityFault, Scanned, name_for, read_label
from devices.labels import new_code, random_bytes
from devices.lifecycle import By, illegal
from devices.model import Device, DeviceState, IdentityKind, PlacementReason
from devices.store import changes, devices, flats, identities, models, placements
from devices.store.devices import DeviceRow
from devices.store.models import ModelRow
from devices.store.scope import Scope

PORT_KIND = "charging_port"
port_id_chars = 4
"""`-p01` behind the station's name."""
device_id_chars_max = 64
_ORDER = (IdentityKind.IMEI, IdentityKind.DEV_EUI, IdentityKind.SERIAL, IdentityKind.OTHER)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Who enrols, when, and which names other accounts of the broker have."""

    scope: Scope
    now: datetime
    by: str
    accounts: frozenset[str] = frozenset()
    dice: Callable[[int], bytes] = secrets.token_bytes


@dataclass(frozen=True, slots=True)
class Wish:
    """What the installer asks for: a device by its label or its name, at a place within his scope."""

    place_id: str
    label: str | None = None
    id: str | None = None
    model: ModelRow | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The device as it hangs now. `flat_id`: the flat it is in."""

    row: DeviceRow
    model: ModelRow | None
    ports: tuple[str, ...]
    flat_id: str | None


def enrol(conn: Connection, at: Circumstances, wish: Wish) -> Enrolled:
    """Problem 422 or 409 with the field; nothing is written then. `wish.label` must be given."""
    scanned = read_label(wish.label or "")
    if isinstance(scanned, IdentityFault):
        faulty("#/label", scanned)
    known = _known(conn, scanned, wish.model)
    row = _new(conn, at, wish, scanned) if known is None else _claim(conn, at, wish, known, scanned.identities)
    return _finish(conn, at, row, wish.model)


def replace_device(conn: Connection, at: Circumstances, old: DeviceRow, wish: Wish) -> Enrolled:
    """Another device takes the place of `old`, which is removed; the history of both says so."""
    if old.parent_id is not None:
        raise conflict("#", "is_port", station=old.parent_id)
    if old.place_id is None or old.device.state is DeviceState.REMOVED:
        raise conflict("#", "no_place_to_take")
    if wish.id is not None:
        made = _finish(conn, at, _by_name(conn, at, old, wish), wish.model)
    else:
        made = enrol(conn, at, _like(conn, old, wish))
    ports_before = devices.ports_of(conn, old.id)
    gone = replace(old.moved(DeviceState.REMOVED, old.place_id), replaced_by=made.row.id)
    if not changes.settle(conn, old, gone, at.now, PlacementReason.REPLACED):
        raise Conflict(f"device {old.id}")
    numbered = {port.port: port.id for port in devices.ports_of(conn, made.row.id)}
    for port in ports_before:
        devices.set_replaced_by(conn, port.id, numbered.get(port.port))
    return made


def _like(conn: Connection, old: DeviceRow, wish: Wish) -> Wish:
    """A device that nobody registered is taken to be of the old one's model, and of its kind."""
    scanned = read_label(wish.label or "")
    if isinstance(scanned, Scanned) and wish.model is None and _known(conn, scanned, None) is None:
        model = models.get(conn, old.model_id) if old.model_id else None
        return replace(wish, model=model, kind=old.device.kind)
    return wish


def _by_name(conn: Connection, at: Circumstances, old: DeviceRow, wish: Wish) -> DeviceRow:
    assert wish.id is not None
    if wish.id == old.id:
        raise conflict("#/id", "itself")
    known = devices.get(conn, wish.id)
    if known is None:
        unknown(wish.id, "#/id")
    return _claim(conn, at, wish, known, (), "#/id")


def _known(conn: Connection, scanned: Scanned, model: ModelRow | None) -> DeviceRow | None:
    """The one registered device that the label means: by an identity, or by its own name where that is one."""
    found = devices.existing(conn, [identity.value for identity in scanned.identities])
    if scanned.code and (labelled := devices.by_label(conn, scanned.code)):
        found.add(labelled.id)
    for identity in scanned.identities:
        found.update(identities.holders(conn, replace(identity, dialect=model.dialect if model else "")))
    if len(found) > 1:
        raise conflict("#/label", "label_ambiguous")
    return devices.get(conn, found.pop()) if found else None


def _claim(
    conn: Connection,
    at: Circumstances,
    wish: Wish,
    known: DeviceRow,
    named: tuple[Identity, ...],
    pointer: str = "#/label",
) -> DeviceRow:
    """A registered device comes to its place. Stock without a place belongs to whoever holds it in his hands."""
    state = known.state_at(at.now)
    stock = known.place_id is None or state is DeviceState.REMOVED
    if not stock and not may_see(conn, at.scope, known):
        raise conflict(pointer, "installed_out_of_scope")
    if known.parent_id is not None:
        raise conflict(pointer, "is_port", station=known.parent_id)
    if illegal(state, DeviceState.INSTALLED, By.ENROLMENT) is not None:
        raise _already(conn, wish, known, pointer)
    if wish.model is not None and known.model_id not in (None, wish.model.id):
        raise conflict("#/model", "model_differs", value=known.model)
    after = replace(
        of_model(known.moved(DeviceState.INSTALLED, wish.place_id), wish.model if known.model_id is None else None),
        label=known.label or _spare_code(conn, at),
        replaced_by=None,
        identities=(*known.identities, *_added(known, named)),
    )
    if not changes.settle(conn, known, after, at.now, PlacementReason.PLACED):
        raise Conflict(f"device {known.id}")
    return after


def _added(known: DeviceRow, named: tuple[Identity, ...]) -> list[Identity]:
    """What the label says beyond what was registered, under the dialect that the device has."""
    dialect = known.identities[0].dialect if known.identities else "plain"
    have = {(identity.kind, identity.value) for identity in known.identities}
    sure = [one for one in named if one.kind in (IdentityKind.IMEI, IdentityKind.DEV_EUI) or known.identities]
    return [replace(one, dialect=dialect) for one in sure if (one.kind, one.value) not in have]


def _already(conn: Connection, wish: Wish, known: DeviceRow, pointer: str) -> Problem:
    if known.place_id == wish.place_id:
        return conflict(pointer, "installed_here", device=known.id)
    where = placements.words(conn, [known.place_id] if known.place_id else []).get(known.place_id or "", "?")
    return conflict(pointer, "installed_elsewhere", device=known.id, place=where)


def _new(conn: Connection, at: Circumstances, wish: Wish, scanned: Scanned) -> DeviceRow:
    """A device that nobody registered before."""
    if scanned.code and not scanned.identities:
        raise invalid("#/label", "label_spare")
    if not scanned.certain and wish.id is None:
        raise invalid("#/label", "label_unknown")
    kind = wish.model.kind if wish.model else wish.kind
    if kind is None:
        raise invalid("#/model", "model_or_kind")
    first = min(scanned.identities, key=lambda identity: _ORDER.index(identity.kind))
    device_id = wish.id or name_for(first)
    if device_id is None:
        raise invalid("#/id", "name_needed")
    if device_id in at.accounts or devices.get(conn, device_id) is not None:
        raise conflict("#/id", "taken", value=device_id)
    dialect = wish.model.dialect if wish.model else "plain"
    device = Device(device_id, kind, wish.place_id, DeviceState.INSTALLED)
    named = tuple(replace(identity, dialect=dialect) for identity in scanned.identities)
    bare = DeviceRow(device, at.now, label=_spare_code(conn, at), identities=named)
    row = of_model(bare, wish.model)
    devices.insert_many(conn, [row])
    return row


def of_model(row: DeviceRow, model: ModelRow | None) -> DeviceRow:
    """With what the model says about all of its kind."""
    if model is None:
        return row
    window = model.supervision_window_s or row.device.supervision_window_s
    device = replace(row.device, kind=model.kind, codec=model.codec, supervision_window_s=window)
    return replace(row, device=device, model_id=model.id, model=model.code)


def _spare_code(conn: Connection, at: Circumstances) -> str:
    while devices.by_label(conn, code := new_code(at.dice(random_bytes))) is not None:
        pass
    return code


def _finish(conn: Connection, at: Circumstances, row: DeviceRow, model: ModelRow | None) -> Enrolled:
    model = model or (models.get(conn, row.model_id) if row.model_id else None)
    ports = make_ports(conn, at, row, model.ports if model else 0)
    flat_id = flats.enrolled(conn, row.place_id, at.now, at.by)
    stored = devices.get(conn, row.id)
    assert stored is not None, "a row that was just written is there"
    return Enrolled(stored, model, ports, flat_id)


def make_ports(conn: Connection, at: Circumstances, station: DeviceRow, count: int) -> tuple[str, ...]:
    """The station's ports, those that are missing made. They have no credential: the station speaks for them."""
    have = {port.port for port in devices.ports_of(conn, station.id)}
    missing = [number for number in range(1, count + 1) if number not in have]
    if missing and len(station.id) > device_id_chars_max - port_id_chars:
        raise invalid("#/id", "ports_name", max=device_id_chars_max - port_id_chars)
    names = {number: f"{station.id}-p{number:02d}" for number in missing}
    if taken := sorted(devices.existing(conn, names.values()) | (at.accounts & set(names.values()))):
        raise conflict("#/id", "taken", value=taken[0])
    device = replace(station.device, kind=PORT_KIND, test_mode_until=None)
    devices.insert_many(
        conn,
        [
            DeviceRow(replace(device, id=name), at.now, model_id=station.model_id, parent_id=station.id, port=number)
            for number, name in names.items()
        ],
    )
    return tuple(port.id for port in devices.ports_of(conn, station.id))
