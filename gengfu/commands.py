"""What the command line writes, as transactions that run here or inside the running service. Never sees a secret."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from alerting.ports import Clock, Database, Ids, Priority
from api.permissions import Role
from api.store import keys
from api.store.keys import ApiKey
from devices.audit import AuditEntry
from devices.store import audit, people, places
from devices.store.places import PlaceRow
from devices.store.scope import SEPARATOR, path_of_place
from gengfu import bulk_export, device_commands, user_commands
from gengfu.socket import CommandRefused, Handler

__all__ = ["COMMANDS", "Command", "CommandRefused", "handlers", "key_named", "run"]

NOUNS = {"key": "api-keys", "user": "users", "device": "devices"}
ACTS = {"add": "create"}
"""What the audit calls things, where the command line has another word."""


@dataclass(frozen=True, slots=True)
class Command:
    """One transaction. `work(conn, args, now, new_id)` returns JSON values, among them `id`, what was changed, and
    maybe `path`, where that lies; `CommandRefused` rolls it back.

    `registry`: it changes what the emergency copy and the broker's files are made of. `told`: the arguments that the
    audit keeps; never one that holds a hash.
    """

    work: Callable[[Connection, Mapping[str, Any], datetime, Callable[[], str]], dict[str, Any]]
    registry: bool = False
    told: tuple[str, ...] = ()


def run(
    name: str, conn: Connection, args: Mapping[str, Any], now: datetime, new_id: Callable[[], str]
) -> dict[str, Any]:
    """Carry out one of `COMMANDS` and record it, in the caller's transaction. `args["by"]`: who typed it."""
    command = COMMANDS[name]
    result = command.work(conn, args, now, new_id)
    noun, act = name.split(".")
    by = str(args.get("by") or "unknown")
    detail = {each: args[each] for each in command.told if args.get(each) is not None}
    path = result.pop("path", None)
    kind, act = NOUNS.get(noun, noun), ACTS.get(act, act)
    audit.record(conn, AuditEntry(now, by, by, "cli", act, kind, str(result.get("id", noun)), path, detail))
    return result


def handlers(
    database: Database, clock: Clock, ids: Ids, registry_changed: Callable[[], None], forget_key: Callable[[str], None]
) -> Mapping[str, Handler]:
    """The commands for `serve_commands`. `forget_key` is told the hash of a key that has been revoked."""

    async def handle(name: str, args: dict[str, Any]) -> dict[str, Any]:
        now = clock.now()
        result = await database.write(Priority.ADMINISTRATION, lambda conn: run(name, conn, args, now, ids.uuid7))
        if COMMANDS[name].registry:
            registry_changed()
        if "revoked_hash" in result:
            forget_key(result["revoked_hash"])
        return result

    return {name: partial(handle, name) for name in COMMANDS}


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
    """args: name, role, key_hash, worker and place (code or id) or None."""
    if keys.name_taken(conn, args["name"]):
        raise CommandRefused(f"There is a key with the name {args['name']} already: choose another one.")
    person_id = None
    if args["worker"] is not None:
        person = people.find(conn, args["worker"])
        if person is None:
            raise CommandRefused(f"There is nobody with the code {args['worker']}: register the worker first.")
        person_id = person.id
    place = _place(conn, args.get("place"))
    key = ApiKey(
        id=new_id(),
        name=args["name"],
        role=Role(args["role"]),
        key_hash=args["key_hash"],
        person_id=person_id,
        created_at=now,
        expires_at=None,
        revoked_at=None,
        last_used_at=None,
        place_id=place.id if place else None,
    )
    keys.add(conn, key)
    return {"id": key.id, "path": SEPARATOR.join(place.path) if place else None}


def _revoke_key(conn: Connection, args: Mapping[str, Any], now: datetime, _: Callable[[], str]) -> dict[str, Any]:
    """args: name."""
    key = key_named(conn, args["name"])
    if key is None:
        raise CommandRefused(f"There is no key with the name {args['name']}: `gengfu key list` shows them.")
    keys.revoke(conn, key.id, now)
    return {"id": key.id, "revoked_hash": key.key_hash, "path": path_of_place(conn, key.place_id)}


def _place(conn: Connection, code: str | None) -> PlaceRow | None:
    """An optional place by its code or id."""
    place = None if code is None else places.find(conn, code)
    if place is None and code is not None:
        raise CommandRefused(f"There is no place with the code {code}: register the place first.")
    return place


COMMANDS: Mapping[str, Command] = {
    "key.add": Command(_add_key, told=("name", "role", "worker", "place")),
    "key.revoke": Command(_revoke_key, told=("name",)),
    "user.add": Command(user_commands.add, told=("login", "name", "role", "place", "worker")),
    "user.grant": Command(user_commands.grant, told=("login", "role", "place")),
    "user.revoke": Command(user_commands.revoke, told=("login", "role", "place")),
    "user.password": Command(user_commands.password, told=("login",)),
    "user.disable": Command(user_commands.disable, told=("login",)),
    "user.enable": Command(user_commands.enable, told=("login",)),
    "device.enrol": Command(
        device_commands.add, registry=True, told=("id", "kind", "place", "model", "label", "renew")
    ),
    "device.revoke": Command(device_commands.revoke, registry=True, told=("id",)),
    "registry.export": Command(bulk_export.note, told=("file", "rows")),
}
