"""Fixtures: a private mosquitto, a private PostgreSQL, an address of each kind of database."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from gengfu.broker import child as broker_child
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
