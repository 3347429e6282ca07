"""Fixtures of the acceptance tests: the city, and a migrated database of either kind."""

import shutil
from pathlib import Path

import pytest

from simulators.city import City, load_city


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
def postgres_url(migrated_postgres_url: str) -> str:
    """A PostgreSQL database with the product's tables."""
    return migrated_postgres_url
