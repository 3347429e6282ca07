"""Fixtures: a registry in a migrated database of either kind, empty or with a small city. Holds no test."""

import time
from collections.abc import AsyncIterator

import pytest_asyncio

from gengfu.database import open_database
from tests.contract.registry_support import Registry, fill


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
