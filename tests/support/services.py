"""Fixtures: a private mosquitto, a private PostgreSQL, an address of each kind of database, empty or migrated.

A migration of either takes a second; a copy of what it has made, a fraction of that.
"""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from gengfu.broker import child as broker_child
from gengfu.database import migrate
from tests.support.mosquitto import BrokerUnderTest
from tests.support.postgres import PostgresCluster


@pytest.fixture
def free_port() -> int:
    """A TCP port on loopback that nobody listened on a moment ago."""
    return broker_child.free_port()


@pytest_asyncio.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[BrokerUnderTest]:
    """A real mosquitto with the shipped configuration and a service account, for one test."""
    broker = await BrokerUnderTest.start(tmp_path / "broker")
    yield broker
    await broker.child.stop()


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresCluster]:
    """A real PostgreSQL server for the whole run, started when the first test asks for it."""
    cluster = PostgresCluster()
    yield cluster
    cluster.close()


@pytest.fixture
def postgres_url(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """The address of an empty PostgreSQL database that this test has for itself."""
    name = postgres_cluster.create()
    yield postgres_cluster.url(name)
    postgres_cluster.drop(name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite database that does not exist yet, in a folder of its own."""
    folder = tmp_path / "database"
    folder.mkdir()
    return f"sqlite+aiosqlite:///{folder / 'gengfu.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Runs the test twice: on an empty SQLite and on an empty PostgreSQL database."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the newest schema and no rows, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "gengfu.db"
    migrate.upgrade(f"sqlite+aiosqlite:///{path}")
    assert not path.with_name(f"{path.name}-wal").exists(), "the file alone is not the whole database"
    return path


@pytest.fixture
def migrated_sqlite_url(sqlite_url: str, migrated_file: Path) -> str:
    """The address of a SQLite database with the newest schema and no rows."""
    shutil.copyfile(migrated_file, sqlite_url.removeprefix("sqlite+aiosqlite:///"))
    return sqlite_url


@pytest.fixture
def migrated_postgres_url(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """The address of a PostgreSQL database with the newest schema and no rows."""
    name = postgres_cluster.create(postgres_cluster.template("migrated", migrate.upgrade))
    yield postgres_cluster.url(name)
    postgres_cluster.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest) -> str:
    """Runs the test twice: with the newest schema on SQLite and on PostgreSQL."""
    kind = "sqlite" if request.param == "sqlite" else "postgres"
    url: str = request.getfixturevalue(f"migrated_{kind}_url")
    return url
