"""Fixtures of the acceptance tests: a migrated database of each kind, and a story on it that is judged at its end."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gengfu.database import migrate
from simulators.city import City, load_city
from tests.acceptance.script import Story, begin
from tests.support.postgres import PostgresCluster

Begin = Callable[..., AbstractAsyncContextManager[Story]]


@pytest.fixture(scope="session")
def city() -> City:
    """The demonstration city."""
    return load_city("xinyang")


@pytest.fixture
def postgres_url(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """A PostgreSQL database with the product's tables, copied from a template."""
    name = postgres_cluster.create(postgres_cluster.template("migrated", migrate.upgrade))
    yield postgres_cluster.url(name)
    postgres_cluster.drop(name)


@pytest.fixture
def begin_story(tmp_path: Path, database_url: str, city: City) -> Begin:
    """Begins a story with options of the stage; `async with begin_story(...) as story`. It is judged at its end."""

    @asynccontextmanager
    async def story_of(**options: Any) -> AsyncIterator[Story]:
        async with begin(tmp_path / "stage", database_url, options.pop("city", city), **options) as story:
            yield story
            await story.judge()

    return story_of


@pytest_asyncio.fixture
async def story(tmp_path: Path, database_url: str, city: City) -> AsyncIterator[Story]:
    """A story on a fresh stage, once on SQLite and once on PostgreSQL, judged at its end."""
    async with begin(tmp_path / "stage", database_url, city) as told:
        yield told
        await told.judge()
