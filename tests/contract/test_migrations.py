"""The schema from nothing to the newest, on both databases: it is what the tables say; other schemas are refused."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from gengfu.database import DatabaseInUse, hold, migrate
from gengfu.database.common import parse
from gengfu.database.schema import metadata

INDEXES = {
    "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY sql",
    "postgresql": "SELECT indexdef FROM pg_indexes WHERE tablename != 'alembic_version' ORDER BY indexdef",
}


def indexes(conn: Connection) -> list[str]:
    """Every index with its condition, which Alembic's own comparison does not look at."""
    definitions = conn.scalars(text(INDEXES[conn.dialect.name]))
    return [re.sub(r"[\s\"]+", " ", each).replace("public.", "") for each in definitions]


def differences(conn: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(conn), metadata))


def run_to(url: str, revision: str) -> None:
    def work(conn: Connection) -> None:
        config = migrate._config()
        config.attributes["connection"] = conn
        command.upgrade(config, revision)

    migrate.run(parse(url), work)


def set_revision(url: str, revision: str) -> None:
    statement = text("UPDATE alembic_version SET version_num = :revision").bindparams(revision=revision)
    migrate.run(parse(url), lambda conn: conn.execute(statement))


@contextmanager
def unchanged(url: str) -> Iterator[None]:
    before = migrate.current_revision(url)
    yield
    assert migrate.current_revision(url) == before


def test_from_nothing_to_the_newest(database_url: str) -> None:
    assert migrate.current_revision(database_url) is None
    migrate.upgrade(database_url)
    assert migrate.current_revision(database_url) == migrate.head_revision()
    assert migrate.check(database_url) is None
    assert migrate.run(parse(database_url), differences) == []
    with unchanged(database_url):
        migrate.upgrade(database_url)


def test_the_comparison_would_see_a_difference(database_url: str) -> None:
    migrate.upgrade(database_url)
    migrate.run(parse(database_url), lambda conn: conn.execute(text("DROP INDEX ix_callbacks_unfolded")))
    assert len(migrate.run(parse(database_url), differences)) == 1


def test_indexes_and_their_conditions_are_the_tables_own(database_url: str) -> None:
    migrate.upgrade(database_url)
    migrated = migrate.run(parse(database_url), indexes)

    def build_from_tables(conn: Connection) -> list[str]:
        conn.execute(text("DROP TABLE alembic_version"))
        metadata.drop_all(conn)
        metadata.create_all(conn)
        return indexes(conn)

    assert migrated == migrate.run(parse(database_url), build_from_tables)
    assert sum(" WHERE " in each for each in migrated) >= 5


def test_hot_tables_have_room_to_be_rewritten(postgres_url: str) -> None:
    migrate.upgrade(postgres_url)
    query = text("SELECT relname FROM pg_class WHERE 'fillfactor=70' = ANY (reloptions) ORDER BY relname")
    tuned = migrate.run(parse(postgres_url), lambda conn: list(conn.scalars(query)))
    assert tuned == ["attempts", "device_seen", "incidents", "notifications"]


def test_no_schema_is_refused_with_the_remedy(database_url: str) -> None:
    sentence = migrate.check(database_url)
    assert sentence is not None
    assert sentence.endswith("has no schema yet: run `gengfu db upgrade`.")


def test_looking_does_not_create_the_file(sqlite_url: str) -> None:
    assert migrate.check(sqlite_url) is not None
    assert not Path(sqlite_url.removeprefix("sqlite+aiosqlite:///")).exists()


def test_an_older_schema_is_refused_until_it_is_upgraded(database_url: str) -> None:
    run_to(database_url, "0001")
    with unchanged(database_url):
        sentence = migrate.check(database_url)
    assert sentence is not None
    assert f"has schema 0001, this program needs {migrate.head_revision()}: make a backup" in sentence
    assert sentence.endswith("then run `gengfu db upgrade`.")
    migrate.upgrade(database_url)
    assert migrate.check(database_url) is None


def test_data_survives_the_upgrade(database_url: str) -> None:
    run_to(database_url, "0001")
    row = text(
        "INSERT INTO people (id, kind, code, name, name_en, language, version)"
        " VALUES ('p', 'worker', 'jia', '网格员甲', 'Grid worker A', 'zh-CN', 1)"
    )
    migrate.run(parse(database_url), lambda conn: conn.execute(row))
    migrate.upgrade(database_url)
    names = migrate.run(parse(database_url), lambda conn: list(conn.scalars(text("SELECT name FROM people"))))
    assert names == ["网格员甲"]


def test_a_schema_from_the_future_is_refused(database_url: str) -> None:
    migrate.upgrade(database_url)
    set_revision(database_url, "9999")
    sentence = migrate.check(database_url)
    assert sentence is not None
    assert f"has schema 9999, which this program (schema {migrate.head_revision()}) does not know" in sentence
    assert "install the newer program" in sentence


def test_a_failing_version_leaves_nothing_behind(database_url: str) -> None:
    migrate.run(parse(database_url), lambda conn: conn.execute(text("CREATE TABLE idempotency (key INTEGER)")))
    with pytest.raises(Exception, match="already exists"):
        migrate.upgrade(database_url)
    assert migrate.current_revision(database_url) is None
    migrate.run(parse(database_url), lambda conn: conn.execute(text("DROP TABLE idempotency")))
    migrate.upgrade(database_url)
    assert migrate.check(database_url) is None


def test_the_password_is_not_in_the_sentence(postgres_url: str) -> None:
    sentence = migrate.check(postgres_url.replace("gengfu@", "gengfu:hunter2@"))
    assert sentence is not None
    assert "hunter2" not in sentence


def test_nobody_upgrades_what_a_server_is_using(sqlite_url: str) -> None:
    with hold(sqlite_url, "serve"), pytest.raises(DatabaseInUse, match="serve"):
        migrate.upgrade(sqlite_url)


async def test_it_works_within_an_event_loop(database_url: str) -> None:
    migrate.upgrade(database_url)
    assert migrate.check(database_url) is None


def test_the_versions_travel_in_the_wheel(tmp_path: Path, sqlite_url: str) -> None:
    """The packages alone, copied to where no checkout is, bring a database to the newest schema."""
    root = Path(__file__).parents[2]
    for package in ("gengfu", "alerting", "api", "devices"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / package, tmp_path / "site" / package, ignore=ignored)
    script = f"from gengfu.database import migrate; migrate.upgrade({sqlite_url!r}); print(migrate.MIGRATIONS)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        env={"PYTHONPATH": str(tmp_path / "site")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(tmp_path / "site" / "gengfu" / "migrations")
    assert migrate.check(sqlite_url) is None
