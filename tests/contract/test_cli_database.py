"""Schema, copies, keys and credentials from the command line, on both databases."""

import json
import re
import shutil
from pathlib import Path

import pytest

from api.auth import hash_key
from api.permissions import Role
from api.store import keys
from devices.store import devices, models
from devices.store.models import ModelRow
from gengfu.broker.files import password_matches
from gengfu.commands import key_named
from gengfu.database import hold, migrate
from gengfu.database.common import parse
from gengfu.reading import read
from tests.contract.cli_support import Shell, fill

pytest_plugins = ["tests.contract.cli_fixtures"]

HIDDEN_KEY = "a secret key for this test"


def test_a_new_database_is_made_upgraded_and_found_sound(shell: Shell, database_url: str) -> None:
    shell.environ["GENGFU_DATABASE_URL"] = database_url
    head = migrate.head_revision()
    assert shell.ok("db", "upgrade") == [f"schema none -> {head}"]
    assert shell.ok("db", "upgrade") == [f"schema {head}"]
    assert shell.ok("db", "check") == [f"ok schema {head}"]


def test_a_damaged_file_is_found(on_sqlite: Shell) -> None:
    fill(on_sqlite.database_url)
    file = Path(on_sqlite.database_url.removeprefix("sqlite+aiosqlite:///"))
    damaged = bytearray(file.read_bytes())
    damaged[8192:] = bytes(len(damaged) - 8192)
    file.write_bytes(damaged)
    assert re.search("damaged|malformed", on_sqlite.refusal(1, "db", "check"))


def test_backup_and_restore_bring_back_what_was(upgraded: Shell) -> None:
    if upgraded.database_url.startswith("postgresql"):
        assert shutil.which("pg_dump"), "Debian's postgresql-client belongs to the set-up for tests"
    upgraded.ok("key", "add", "--role", "viewer", "before")
    upgraded.ok("db", "backup", "copy")
    assert (upgraded.folder / "copy").stat().st_mode & 0o777 == 0o600
    assert "exists" in upgraded.refusal(1, "db", "backup", "copy")
    upgraded.ok("key", "add", "--role", "viewer", "after")
    assert "--yes" in upgraded.refusal(2, "db", "restore", "copy")
    assert len(upgraded.ok("key", "list")) == 2
    assert upgraded.ok("db", "restore", "copy", "--yes") == ["restored copy"]
    assert [line.split("\t")[0] for line in upgraded.ok("key", "list")] == ["before"]


def test_a_key_is_shown_once_and_kept_as_its_hash(upgraded: Shell) -> None:
    (secret,) = upgraded.ok("key", "add", "--role", "administrator", "first")
    assert re.fullmatch(r"gf_[A-Za-z0-9_-]{43}", secret)
    found = read(upgraded.database_url, lambda conn: keys.by_hash(conn, hash_key(HIDDEN_KEY, secret)))
    assert found is not None
    assert (found.name, found.role, found.person_id) == ("first", Role.ADMINISTRATOR, None)
    assert "already" in upgraded.refusal(1, "key", "add", "--role", "viewer", "first")
    listed = "\n".join(upgraded.ok("key", "list", "--json"))
    assert json.loads(listed)["state"] == "in force"
    assert secret not in listed


def test_a_revoked_key_stays_revoked(on_sqlite: Shell) -> None:
    on_sqlite.ok("key", "add", "--role", "viewer", "first")
    on_sqlite.ok("key", "revoke", "first")
    revoked = read(on_sqlite.database_url, lambda conn: key_named(conn, "first"))
    assert revoked is not None
    assert revoked.revoked_at is not None
    assert "revoked" in on_sqlite.ok("key", "list")[0]
    assert "key list" in on_sqlite.refusal(1, "key", "revoke", "second")


def test_a_workers_key_belongs_to_the_worker(on_sqlite: Shell) -> None:
    fill(on_sqlite.database_url)
    on_sqlite.ok("key", "add", "--role", "grid_worker", "--worker", "worker-a", "phone of worker-a")
    key = read(on_sqlite.database_url, lambda conn: key_named(conn, "phone of worker-a"))
    assert key is not None
    assert (key.role, key.person_id, key.person_name) == (Role.GRID_WORKER, "worker-a", "网格员甲")
    assert "worker-z" in on_sqlite.refusal(1, "key", "add", "--role", "grid_worker", "--worker", "worker-z", "x")
    assert "--worker" in on_sqlite.refusal(2, "key", "add", "--role", "grid_worker", "x")
    assert "roster_planner" in on_sqlite.refusal(2, "key", "add", "--role", "king", "x")


def test_a_device_gets_a_credential_once_and_another_one_when_asked(upgraded: Shell) -> None:
    fill(upgraded.database_url)
    enrol = ("device", "enrol", "--id", "smoke-0001", "--kind", "smoke_detector")
    username, password = (line.split() for line in upgraded.ok(*enrol, "--place", "jd-hy-3-2-1201"))
    assert (username, password[0]) == (["username", "smoke-0001"], "password")
    stored = dict(read(upgraded.database_url, devices.credentials))
    assert password_matches(password[1], stored["smoke-0001"])
    row = read(upgraded.database_url, lambda conn: devices.get(conn, "smoke-0001"))
    assert row is not None
    assert row.device.place_id == "jd-hy-3-2-1201"
    assert "--renew" in upgraded.refusal(1, *enrol)
    (line,) = upgraded.ok(*enrol, "--renew", "--json")
    stored = dict(read(upgraded.database_url, devices.credentials))
    assert password_matches(json.loads(line)["password"], stored["smoke-0001"])
    assert not password_matches(password[1], stored["smoke-0001"])
    upgraded.ok("device", "revoke", "smoke-0001")
    assert read(upgraded.database_url, devices.credentials) == []
    assert "smoke-0001" in upgraded.refusal(1, "device", "revoke", "smoke-0001")


@pytest.mark.parametrize("device_id", ["abc", "with space", "gengfu-service", "a/b/c/d", "x" * 65])
def test_a_name_that_no_device_may_have_is_refused(on_sqlite: Shell, device_id: str) -> None:
    assert "cannot name a device" in on_sqlite.refusal(2, "device", "enrol", "--id", device_id, "--kind", "camera")


def test_a_device_is_enrolled_by_what_its_label_says(upgraded: Shell) -> None:
    fill(upgraded.database_url)
    model = ModelRow("m1", "station-4", "Maker", "C4", "charging_station", ports=2)
    migrate.run(parse(upgraded.database_url), lambda conn: models.insert_many(conn, [model]))
    label = ("--label", "IMEI:861234567890127")
    words = ("device", "enrol", "--place", "jd-hy-3-2-1201", *label)
    assert "name its model" in upgraded.refusal(1, *words)
    username, password = (line.split() for line in upgraded.ok(*words, "--model", "station-4"))
    assert username == ["username", "861234567890127"]
    stored = dict(read(upgraded.database_url, devices.credentials))
    assert set(stored) == {"861234567890127"}, "ports have none of their own"
    assert password_matches(password[1], stored["861234567890127"])
    row = read(upgraded.database_url, lambda conn: devices.get(conn, "861234567890127"))
    ports = read(upgraded.database_url, lambda conn: devices.ports_of(conn, "861234567890127"))
    assert row is not None
    assert (row.model, row.device.kind, len(ports)) == ("station-4", "charging_station", 2)
    assert row.identities[0].value == "861234567890127"
    assert "installed here already" in upgraded.refusal(1, *words)
    wrong = ("device", "enrol", "--place", "jd-hy-3-2-1201", "--label", "861234567890120", "--kind", "camera")
    assert "should be 7" in upgraded.refusal(1, *wrong)
    assert "--place" in upgraded.refusal(1, "device", "enrol", *label, "--kind", "camera")
    assert "register the model first" in upgraded.refusal(1, *words, "--model", "nothing")
    by_name = ("device", "enrol", "--id", "shed-0001", "--model", "station-4")
    assert upgraded.ok(*by_name)[0] == "username shed-0001"
    assert len(read(upgraded.database_url, lambda conn: devices.ports_of(conn, "shed-0001"))) == 2
    assert "--model" in upgraded.refusal(2, "device", "enrol", "--id", "shed-0002")
    assert "--label" in upgraded.refusal(2, "device", "enrol", "--kind", "camera")
    source = ("--label", "861234567890226", "--id", "gengfu-service", "--kind", "camera", "--place", "jd-hy-3-2-1201")
    assert "cannot name a device" in upgraded.refusal(2, "device", "enrol", *source)


def test_an_unknown_place_registers_nothing(on_sqlite: Shell) -> None:
    words = ("device", "enrol", "--id", "smoke-0001", "--kind", "smoke_detector", "--place", "nowhere")
    assert "nowhere" in on_sqlite.refusal(1, *words)
    assert read(on_sqlite.database_url, lambda conn: devices.get(conn, "smoke-0001")) is None


def test_while_somebody_holds_sqlite_without_a_socket_writing_is_refused_and_reading_is_not(on_sqlite: Shell) -> None:
    on_sqlite.ok("key", "add", "--role", "viewer", "before")
    with hold(on_sqlite.database_url, "something else"):
        assert "something else" in on_sqlite.refusal(1, "key", "add", "--role", "viewer", "first")
        assert "something else" in on_sqlite.refusal(1, "db", "upgrade")
        assert len(on_sqlite.ok("key", "list")) == 1
        on_sqlite.ok("db", "backup", "copy")
