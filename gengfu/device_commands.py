"""What `gengfu device` writes: a device registered or enrolled by its label, its credential given or revoked. Never
sees a secret: only its hash.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from alerting.ports import Conflict
from api.enrolling import Circumstances, Wish, enrol, make_ports, of_model
from api.errors import Problem
from devices.model import Device, DeviceState, Language, PlacementReason
from devices.store import changes, devices, models, places
from devices.store.devices import DeviceRow
from devices.store.models import ModelRow
from devices.store.scope import EVERYTHING, path_of_place
from gengfu.socket import CommandRefused


def add(conn: Connection, args: Mapping[str, Any], now: datetime, _: Callable[[], str]) -> dict[str, Any]:
    """args: id, kind, place, model (codes or ids), label, each maybe None; credential_hash, renew, accounts, by."""
    place_id, model = _place_id(conn, args.get("place")), _model(conn, args.get("model"))
    enrolling = _by_name if args.get("label") is None else _by_label
    try:
        device_id = enrolling(conn, args, now, place_id, model)
    except Problem as problem:
        raise CommandRefused(" ".join(error.document(Language.EN)["message"] for error in problem.errors)) from None
    devices.set_credential(conn, device_id, args["credential_hash"])
    return {"id": device_id, "path": _path(conn, device_id)}


def revoke(conn: Connection, args: Mapping[str, Any], now: datetime, _: Callable[[], str]) -> dict[str, Any]:
    """args: id."""
    if not devices.revoke_credential(conn, args["id"], now):
        raise CommandRefused(f"There is no device {args['id']} with a credential in force.")
    return {"id": args["id"], "path": _path(conn, args["id"])}


def _by_label(
    conn: Connection, args: Mapping[str, Any], now: datetime, place_id: str | None, model: ModelRow | None
) -> str:
    """As an installer does it, with a place."""
    if place_id is None:
        raise CommandRefused("A scanned device needs the place where it hangs: --place CODE.")
    return enrol(conn, _at(args, now), Wish(place_id, args["label"], args["id"], model, args["kind"])).row.id


def _by_name(
    conn: Connection, args: Mapping[str, Any], now: datetime, place_id: str | None, model: ModelRow | None
) -> str:
    """A device of this name, made or moved; an unplaced one too."""
    device_id, kind = args["id"], model.kind if model else args["kind"]
    known = devices.get(conn, device_id)
    if known is None:
        bare = DeviceRow(Device(device_id, kind, place_id, DeviceState.INSTALLED), now)
        station = of_model(bare, model)
        devices.insert_many(conn, [station])
        make_ports(conn, _at(args, now), station, model.ports if model else 0)
        return str(device_id)
    if known.has_credential and not args["renew"]:
        raise CommandRefused(f"The device {device_id} has a credential already: --renew gives it another one.")
    _change(conn, known, place_id or known.place_id, kind, model, now)
    return str(device_id)


def _at(args: Mapping[str, Any], now: datetime) -> Circumstances:
    return Circumstances(EVERYTHING, now, str(args.get("by") or "cli"), frozenset(args.get("accounts") or ()))


def _change(
    conn: Connection, known: DeviceRow, place_id: str | None, kind: str, model: ModelRow | None, now: datetime
) -> None:
    """What is commissioned and hangs elsewhere now is to be tested again; what was removed hangs again."""
    after = of_model(replace(known, device=replace(known.device, kind=kind, place_id=place_id)), model)
    if known.device.state is DeviceState.REMOVED or (known.commissioned and place_id != known.place_id):
        after = after.moved(DeviceState.INSTALLED, place_id)
    if after != known and not changes.settle(conn, known, after, now, PlacementReason.MOVED):
        raise Conflict(f"device {known.id}")


def _place_id(conn: Connection, code: str | None) -> str | None:
    place = None if code is None else places.find(conn, code)
    if place is None and code is not None:
        raise CommandRefused(f"There is no place with the code {code}: register the place first.")
    return place.id if place else None


def _model(conn: Connection, code: str | None) -> ModelRow | None:
    model = None if code is None else models.find(conn, code)
    if model is None and code is not None:
        raise CommandRefused(f"There is no model with the code {code}: register the model first.")
    return model


def _path(conn: Connection, device_id: str) -> str | None:
    row = devices.get(conn, device_id)
    return None if row is None else path_of_place(conn, row.place_id)
