"""`gengfu key`: API keys. A key is made here and shown once; only its keyed hash is stored or sent anywhere."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from gengfu.cli import common
from gengfu.cli.faults import UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from api.store.keys import ApiKey

app = common.group("API 密钥。 Keys of callers of the HTTP interface.")

_ROLES = "administrator, roster_planner, installer, operator, supervisor, grid_worker, auditor, viewer"


@app.command(epilog="Example: gengfu key add --role administrator first")
def add(
    name: Annotated[str, typer.Argument(help="Whose or what it is for; shown in lists and timelines.")],
    role: Annotated[str, typer.Option(help=f"What it may do: {_ROLES}.")],
    worker: Annotated[str | None, typer.Option(help="Code of the worker whose key it is (grid_worker).")] = None,
    place: Annotated[
        str | None, typer.Option(help="Code of the place below which it holds; everywhere without.")
    ] = None,
) -> None:
    """新建密钥，只显示一次。 Make a key; standard output is the secret and nothing else."""
    from api.auth import hash_key, new_secret
    from api.permissions import Role
    from gengfu.secret_key import secret_key

    if role not in set(Role):
        raise UsageError(f"{role} is no role: choose one of {', '.join(Role)}.")
    if role == Role.GRID_WORKER and worker is None:
        raise UsageError("A grid_worker key belongs to a person: add --worker CODE.")
    if not 1 <= len(name) <= 64:
        raise UsageError("A name has 1 to 64 characters.")
    told = common.settings()
    secret = new_secret()
    key_hash = hash_key(secret_key(told), secret)
    args = {"name": name, "role": role, "key_hash": key_hash, "worker": worker, "place": place}
    common.write(told, "key.add", args)
    typer.echo(secret)


@app.command("list", epilog="Example: gengfu key list --json")
def list_keys(as_json: Annotated[bool, typer.Option("--json", help="One JSON object per key.")] = False) -> None:
    """列出密钥。 Name, role and state of every key; never the key."""
    from gengfu.clock import SystemClock

    now = SystemClock().now()
    for key, place in common.read(common.settings(), _all):
        state = "revoked" if key.revoked_at else "in force" if key.valid(now) else "expired"
        shown = {
            "name": key.name,
            "role": key.role.value,
            "state": state,
            "person": key.person_name,
            "created_at": key.created_at.isoformat(),
            "last_used_at": key.last_used_at.isoformat() if key.last_used_at else None,
            "place": place,
        }
        columns = "\t".join(value or "-" for value in shown.values())
        typer.echo(json.dumps(shown, ensure_ascii=False) if as_json else columns)


@app.command(epilog="Example: gengfu key revoke first")
def revoke(name: Annotated[str, typer.Argument(help="The key's name.")]) -> None:
    """撤销密钥。 The key opens nothing any more, within five seconds everywhere."""
    common.write(common.settings(), "key.revoke", {"name": name})
    typer.echo(f"revoked {name}")


def _all(conn: "Connection") -> "list[tuple[ApiKey, str | None]]":
    """Every key, with the code of its place."""
    from api.store import keys
    from devices.store import places

    found: list[ApiKey] = []
    while page := keys.page(conn, found[-1].id if found else None, 500):
        found += page
    bound = {key.place_id: places.get(conn, key.place_id) for key in found if key.place_id}
    codes = {place_id: row.code if row else place_id for place_id, row in bound.items()}
    return [(key, codes.get(key.place_id or "")) for key in found]
