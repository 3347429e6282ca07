"""What the command line writes, as transactions that run here or inside the running service. Never sees a secret."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from alerting.ports import Clock, Database, Ids, Priority
from api.permissions import Role
from api.store import keys
from api.store.keys import ApiKey
from devices.model import Device, DeviceState
from devices.store import devices, people, places
from devices.store.devices import DeviceRow
from gengfu.socket import CommandRefused, Handler

__all__ = ["COMMANDS", "Command", "CommandRefused", "handlers", "key_named"]


@dataclass(frozen=True, slots=True)
class Command:
    """One transaction. `work(conn, args, now, new_id)` returns JSON values; `CommandRefused` rolls it back.

    `registry`: it changes what the emergency copy and the broker's files are made of.
    """

    work: Callable[[Connection, Mapping[str, Any], datetime, Callable[[], str]], dict[str, Any]]
    registry: bool = False


def handlers(
    database: Database, clock: Clock, ids: Ids, registry_changed: Callable[[], None], forget_key: Callable[[str], None]
) -> Mapping[str, Handler]:
    """The commands for `serve_commands`. `forget_key` is told the hash of a key that has been revoked."""

    async def run(command: Command, args: dict[str, Any]) -> dict[str, Any]:
        now = clock.now()
        result = await database.write(Priority.ADMINISTRATION, lambda conn: command.work(conn, args, now, ids.uuid7))
        if command.registry:
            registry_changed()
        if "revoked_hash" in result:
            forget_key(result["revoked_hash"])
        return result

    return {name: partial(run, command) for name, command in COMMANDS.items()}


def key_named(conn: Connection, name: str) -> ApiKey | None:
    """The key of this name, revoked or not."""
    after: str | None = None
    while found := keys.page(conn, after, 500):
        for key in found:
            if key.name == name:
                return key
        after = found[-1].id
    return None


def _add_key(conn: Connection, args: Mapping[str, Any], now: datetime, new_id: Callable[[], str]) -> dict[str, Any]:
    """args: name, role, key_hash, worker (code or id) or None."""
    if keys.name_taken(conn, args["name"]):
        raise CommandRefused(f"There is a key with the name {args['name']} already: choose another one.")
    person_id = None
    if args["worker"] is not None:
        person = people.find(conn, args["worker"])
        if person is None:
            raise CommandRefused(f"There is nobody with the code {args['worker']}: register the worker first.")
        person_id = person.id
    key = ApiKey(new_id(), args["name"], Role(args["role"]), args["key_hash"], person_id, now, None, None, None)
    keys.add(conn, key)
    return {"id": key.id}


def _revoke_key(conn: Connection, args: Mapping[str, Any], now: datetime, _: Callable[[], str]) -> dict[str, Any]:
    """args: name."""
    key = key_named(conn, args["name"])
    if key is None:
        raise CommandRefused(f"There is no key with the name {args['name']}: `gengfu key list` shows them.")
    keys.revoke(conn, key.id, now)
    return {"id": key.id, "revoked_hash": key.key_hash}


def _enrol_device(conn: Connection, args: Mapping[str, Any], now: datetime, _: Callable[[], str]) -> dict[str, Any]:
    """args: id, kind, place (code or id) or None, credential_hash, renew."""
    device_id, place_id = args["id"], None
    if args["place"] is not None:
        place = places.find(conn, args["place"])
        if place is None:
            raise CommandRefused(f"There is no place with the code {args['place']}: register the place first.")
        place_id = place.id
    known = devices.get(conn, device_id)
    if known is None:
        devices.insert_many(conn, [DeviceRow(Device(device_id, args["kind"], place_id, DeviceState.INSTALLED), now)])
    elif known.has_credential and not args["renew"]:
        raise CommandRefused(f"The device {device_id} has a credential already: --renew gives it another one.")
    else:
        moved = replace(known.device, kind=args["kind"], place_id=place_id or known.device.place_id)
        if moved != known.device:
            devices.update_one(conn, replace(known, device=moved))
    devices.set_credential(conn, device_id, args["credential_hash"])
    return {"id": device_id}


def _revoke_device(conn: Connection, args: Mapping[str, Any], now: datetime, _: Callable[[], str]) -> dict[str, Any]:
    """args: id."""
    if not devices.revoke_credential(conn, args["id"], now):
        raise CommandRefused(f"There is no device {args['id']} with a credential in force.")
    return {"id": args["id"]}


COMMANDS: Mapping[str, Command] = {
    "key.add": Command(_add_key),
    "key.revoke": Command(_revoke_key),
    "device.enrol": Command(_enrol_device, registry=True),
    "device.revoke": Command(_revoke_device, registry=True),
}
