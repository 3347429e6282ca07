"""`gengfu user`: logins of people. A password is read or made here; only its hash is stored or sent anywhere."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gengfu.cli import common
from gengfu.cli.faults import UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection

app = common.group("登录账号。 Logins of people and what each may do.")

_ROLES = "administrator, roster_planner, installer, operator, supervisor, grid_worker, auditor, viewer"
made_bytes = 15
"""Of a made password: 20 characters."""

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="The login.")]
Role = Annotated[str, typer.Option(help=f"What he may do: {_ROLES}.")]
Place = Annotated[str | None, typer.Option(help="Code of the place below which it holds; everywhere without.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@app.command(epilog="Example: gengfu user add zhiban-1 --role operator --place hy --name 值班员甲")
def add(
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="2 to 64 letters, digits and . _ @ -")],
    role: Role,
    place: Place = None,
    worker: Annotated[str | None, typer.Option(help="Code of the worker whose login it is (grid_worker).")] = None,
    name: Annotated[str | None, typer.Option(help="Shown in lists and timelines; the login without.")] = None,
    password_stdin: FromStdin = False,
) -> None:
    """新建登录账号。 Make a login. The password is asked for on a terminal; otherwise one is made and shown once."""
    import re

    told = common.settings()
    login = login.lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9._@-]{1,63}", login):
        raise UsageError("A login has 2 to 64 letters, digits and . _ @ -, and begins with a letter or digit.")
    if name is not None and not 1 <= len(name) <= 64:
        raise UsageError("A name has 1 to 64 characters.")
    _check_role(role)
    if role == "grid_worker" and worker is None:
        raise UsageError("A grid_worker login belongs to a person: add --worker CODE.")
    password, made = _password(password_stdin)
    args = {"login": login, "name": name or login, "language": told.language.value, "role": role, "place": place}
    common.write(told, "user.add", {**args, "worker": worker, "password_hash": _hash(password)})
    typer.echo(password if made else f"added {login}")


@app.command("list", epilog="Example: gengfu user list --json")
def list_users(as_json: Annotated[bool, typer.Option("--json", help="One JSON object per login.")] = False) -> None:
    """列出账号。 Login, name, state and roles of every user."""
    for user in common.read(common.settings(), _all):
        held = ", ".join(f"{each['role']}@{each['place'] or '*'}" for each in user["grants"]) or "-"
        line = "\t".join((user["login"], user["name"], user["state"], held))
        typer.echo(json.dumps(user, ensure_ascii=False) if as_json else line)


@app.command(epilog="Example: gengfu user grant zhiban-1 --role viewer --place hy")
def grant(login: Login, role: Role, place: Place = None) -> None:
    """授予角色。 Give a login one more role below a place, or everywhere."""
    _check_role(role)
    _write("user.grant", {"login": login.lower(), "role": role, "place": place}, f"granted {role} to {login}")


@app.command(epilog="Example: gengfu user revoke zhiban-1 --role viewer --place hy")
def revoke(login: Login, role: Role, place: Place = None) -> None:
    """收回角色。 Take a role back; it holds no more within five seconds."""
    _check_role(role)
    _write("user.revoke", {"login": login.lower(), "role": role, "place": place}, f"revoked {role} from {login}")


@app.command(epilog="Example: gengfu user password zhiban-1")
def password(login: Login, password_stdin: FromStdin = False) -> None:
    """重设密码。 Give a login another password; all its sessions end."""
    word, made = _password(password_stdin)
    args = {"login": login.lower(), "password_hash": _hash(word)}
    common.write(common.settings(), "user.password", args)
    typer.echo(word if made else f"changed {login}")


@app.command(epilog="Example: gengfu user disable zhiban-1")
def disable(login: Login) -> None:
    """停用账号。 The login opens nothing any more; its sessions end within five seconds everywhere."""
    _write("user.disable", {"login": login.lower()}, f"disabled {login}")


@app.command(epilog="Example: gengfu user enable zhiban-1")
def enable(login: Login) -> None:
    """恢复账号。 The login may sign in again."""
    _write("user.enable", {"login": login.lower()}, f"enabled {login}")


def _write(command: str, args: dict[str, Any], done: str) -> None:
    common.write(common.settings(), command, args)
    typer.echo(done)


def _check_role(role: str) -> None:
    if role not in _ROLES.split(", "):
        raise UsageError(f"{role} is no role: choose one of {_ROLES}.")


def _password(from_stdin: bool) -> tuple[str, bool]:
    """(password, whether we made it)."""
    import secrets

    from api.schemas.access import password_chars_max, password_chars_min

    if from_stdin:
        word = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        word = typer.prompt("password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        return secrets.token_urlsafe(made_bytes), True
    if not password_chars_min <= len(word) <= password_chars_max:
        raise UsageError(f"A password has {password_chars_min} to {password_chars_max} characters.")
    return word, False


def _hash(word: str) -> str:
    from api.passwords import hash_password

    return hash_password(word)


def _all(conn: "Connection") -> list[dict[str, Any]]:
    from api.store import users
    from devices.store import places

    found: list[users.User] = []
    while page := users.page(conn, found[-1].id if found else None, 500):
        found += page
    codes: dict[str, str | None] = {}
    for place_id in {grant.place_id for user in found for grant in user.grants if grant.place_id}:
        row = places.get(conn, place_id)
        codes[place_id] = place_id if row is None else row.code
    return [
        {
            "login": user.login,
            "name": user.name,
            "state": "disabled" if user.disabled_at else "in force",
            "grants": [
                {"role": grant.role.value, "place": codes[grant.place_id] if grant.place_id else None}
                for grant in user.grants
            ],
        }
        for user in sorted(found, key=lambda each: each.login)
    ]
