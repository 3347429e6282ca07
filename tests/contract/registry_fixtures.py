"""Fixtures: a registry in a migrated database of either kind, empty or with a small city. Holds no test."""

import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from gengfu.database import migrate, open_database
from tests.contract.registry_support import Registry, fill
from tests.support.postgres import PostgresCluster


@pytest.fixture
def migrated_sqlite_url(sqlite_url: str) -> str:
    """A SQLite database with the newest schema and no rows."""
    migrate.upgrade(sqlite_url)
    return sqlite_url


@pytest.fixture
def migrated_postgres_url(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """A PostgreSQL database with the newest schema and no rows."""
    name = postgres_cluster.create(postgres_cluster.template("migrated", migrate.upgrade))
    yield postgres_cluster.url(name)
    postgres_cluster.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest) -> str:
    """Runs the test twice: with the newest schema on SQLite and on PostgreSQL."""
    kind = "sqlite" if request.param == "sqlite" else "postgres"
    url: str = request.getfixturevalue(f"migrated_{kind}_url")
    return url


@pytest_asyncio.fixture
async def registry(migrated_url: str) -> AsyncIterator[Registry]:
    """An empty registry."""
    database = open_database(migrated_url, monotonic=time.monotonic)
    yield Registry(database)
    await database.close()


@pytest_asyncio.fixture
async def city(registry: Registry) -> Registry:
    """The registry with one branch of places, one grid, two people and one device."""
    await registry.write(fill)
    return registry
