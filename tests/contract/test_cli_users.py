"""`gengfu user` and scoped keys, on both databases; and that every writing command leaves a row in the audit."""

import getpass
import json

from sqlalchemy import Connection, select

from api.passwords import verify_password
from api.store import users
from api.store.users import User
from devices.store import audit
from devices.store.audit import AuditRow
from gengfu.commands import COMMANDS
from gengfu.database import migrate
from gengfu.database.common import parse
from tests.contract.cli_support import Shell, fill

pytest_plugins = ["tests.contract.cli_fixtures"]

PLACE = "hy"


def stored(shell: Shell, login: str) -> User:
    user = migrate.run(parse(shell.database_url), lambda conn: users.by_login(conn, login))
    assert user is not None
    return user


def rows(shell: Shell) -> list[AuditRow]:
    return migrate.run(parse(shell.database_url), lambda conn: list(audit.chain(conn)))


def a_place(shell: Shell) -> tuple[str, str]:
    """(id, code) of some place of the demonstration city."""
    from devices.store.tables import places

    def work(conn: Connection) -> tuple[str, str]:
        row = conn.execute(select(places.c.id, places.c.code).order_by(places.c.id).limit(1)).one()
        return row[0], row[1]

    return migrate.run(parse(shell.database_url), work)


def a_worker(shell: Shell) -> str:
    from devices.store.tables import people

    return migrate.run(parse(shell.database_url), lambda conn: str(conn.scalar(select(people.c.code).limit(1))))


def test_a_login_from_the_first_to_the_last_day(upgraded: Shell) -> None:
    fill(upgraded.database_url)
    place_id, code = a_place(upgraded)
    (made,) = upgraded.ok("user", "add", "Zhiban-1", "--role", "operator", "--place", code, "--name", "值班员甲")
    assert len(made) == 20
    user = stored(upgraded, "zhiban-1")
    assert verify_password(made, user.password_hash).right
    assert [(grant.role, grant.place_id) for grant in user.grants] == [("operator", place_id)]
    assert upgraded.ok("user", "list") == [f"zhiban-1\t值班员甲\tin force\toperator@{code}"]
    upgraded.ok("user", "grant", "zhiban-1", "--role", "viewer")
    (listed,) = upgraded.ok("user", "list", "--json")
    assert json.loads(listed)["grants"] == [{"role": "operator", "place": code}, {"role": "viewer", "place": None}]
    upgraded.ok("user", "revoke", "zhiban-1", "--role", "viewer")
    (again,) = upgraded.ok("user", "password", "zhiban-1", "--password-stdin", stdin=b"battery staple 43\n")
    assert again == "changed zhiban-1"
    assert verify_password("battery staple 43", stored(upgraded, "zhiban-1").password_hash).right
    upgraded.ok("user", "disable", "zhiban-1")
    assert stored(upgraded, "zhiban-1").disabled_at is not None
    upgraded.ok("user", "enable", "zhiban-1")
    assert stored(upgraded, "zhiban-1").disabled_at is None
    acts = [(row.entry.act, row.entry.kind, row.entry.via, row.entry.actor) for row in rows(upgraded)]
    by = getpass.getuser()
    assert acts == [(act, "users", "cli", by) for act in ("create", "grant", "revoke", "password", "disable", "enable")]
    assert {row.entry.object_id for row in rows(upgraded)} == {user.id}
    told = str([row.entry for row in rows(upgraded)])
    assert "argon2" not in told
    assert made not in told
    assert upgraded.ok("audit", "verify")[0].startswith("6:")


def test_what_cannot_be_is_refused_in_one_sentence(upgraded: Shell) -> None:
    fill(upgraded.database_url)
    add = ("user", "add", "zhiban-1", "--role")
    assert "administrator, roster_planner" in upgraded.refusal(2, *add, "root")
    assert "--worker" in upgraded.refusal(2, *add, "grid_worker")
    assert "no place with the code nowhere" in upgraded.refusal(1, *add, "viewer", "--place", "nowhere")
    assert "nobody with the code nobody" in upgraded.refusal(1, *add, "grid_worker", "--worker", "nobody")
    assert "2 to 64" in upgraded.refusal(2, "user", "add", "x", "--role", "viewer")
    assert "10 to 128" in upgraded.run(*add, "viewer", "--password-stdin", stdin=b"short\n").err
    assert rows(upgraded) == [], "nothing was done, nothing is recorded"
    upgraded.ok(*add, "viewer")
    assert "already" in upgraded.refusal(1, *add, "viewer")
    assert "no login" in upgraded.refusal(1, "user", "disable", "nobody")
    assert "does not hold" in upgraded.refusal(1, "user", "revoke", "zhiban-1", "--role", "operator")
    assert "--worker" in upgraded.refusal(1, "user", "grant", "zhiban-1", "--role", "grid_worker")


def test_a_key_may_be_bound_to_a_place(upgraded: Shell) -> None:
    fill(upgraded.database_url)
    _, code = a_place(upgraded)
    upgraded.ok("key", "add", "--role", "viewer", "--place", code, "desk")
    (listed,) = upgraded.ok("key", "list", "--json")
    assert json.loads(listed)["place"] == code
    assert "no place" in upgraded.refusal(1, "key", "add", "--role", "viewer", "--place", "nowhere", "other")
    assert [(row.entry.act, row.entry.kind) for row in rows(upgraded)] == [("create", "api-keys")]


def test_every_writing_command_leaves_a_row(upgraded: Shell) -> None:
    fill(upgraded.database_url)
    worker = a_worker(upgraded)
    typed = {
        "key.add": ("key", "add", "--role", "viewer", "desk"),
        "key.revoke": ("key", "revoke", "desk"),
        "user.add": ("user", "add", "jia", "--role", "grid_worker", "--worker", worker),
        "user.grant": ("user", "grant", "jia", "--role", "viewer"),
        "user.revoke": ("user", "revoke", "jia", "--role", "viewer"),
        "user.password": ("user", "password", "jia"),
        "user.disable": ("user", "disable", "jia"),
        "user.enable": ("user", "enable", "jia"),
        "device.enrol": ("device", "enrol", "--id", "smoke-9999", "--kind", "smoke_detector"),
        "device.revoke": ("device", "revoke", "smoke-9999"),
        "registry.export": ("registry", "export", "registry.xlsx"),
    }
    for number, (name, words) in enumerate(typed.items(), start=1):
        upgraded.ok(*words)
        written = rows(upgraded)
        assert len(written) == number, name
        assert (written[-1].entry.via, written[-1].entry.actor) == ("cli", getpass.getuser())
    assert set(COMMANDS) <= set(typed), "a command without its row here"
