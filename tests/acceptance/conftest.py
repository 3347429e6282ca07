"""Fixtures of the acceptance tests: the city, and a migrated database of either kind."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gengfu.database import migrate
from simulators.city import City, load_city
from tests.support.postgres import PostgresCluster


@pytest.fixture(scope="session")
def city() -> City:
    """The demonstration city."""
    return load_city("xinyang")


@pytest.fixture
def sqlite_url(sqlite_url: str, migrated_file: Path) -> str:
    """A SQLite database with the product's tables, copied from a file."""
    shutil.copyfile(migrated_file, sqlite_url.removeprefix("sqlite+aiosqlite:///"))
    return sqlite_url


@pytest.fixture
def postgres_url(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """A PostgreSQL database with the product's tables, copied from a template."""
    name = postgres_cluster.create(postgres_cluster.template("migrated", migrate.upgrade))
    yield postgres_cluster.url(name)
    postgres_cluster.drop(name)
