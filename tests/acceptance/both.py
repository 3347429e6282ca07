"""Tells each story on SQLite and on PostgreSQL, side by side: a story mostly waits. Decides nothing."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from simulators.city import City
from tests.acceptance.script import Story, begin

Teller = Callable[..., Coroutine[Any, Any, None]]
Begin = Callable[..., AbstractAsyncContextManager[Story]]
"""`async with begin_story(**options of the stage) as story`: judged at its end."""
_FIXTURES = ("tmp_path", "sqlite_url", "postgres_url", "city")


def on_both_databases(tell: Teller) -> Teller:
    """Run a test once on each database at the same time, on a stage of its own; what fails says on which.

    The test may ask for `story` (begun, and judged at its end), or for `begin_story`; for `database_url`, `folder`,
    `city` and `starting` (the lock of `begin`); and for parameters.
    """
    wanted = inspect.signature(tell).parameters

    async def test(tmp_path: Path, sqlite_url: str, postgres_url: str, city: City, **parameters: Any) -> None:
        urls = {"SQLite": sqlite_url, "PostgreSQL": postgres_url}
        shared = {"city": city, "starting": asyncio.Lock(), **parameters}
        stories = [
            _told(tell, {"database_url": url, "folder": tmp_path / name, **shared}, set(wanted))
            for name, url in urls.items()
        ]
        ends = await asyncio.gather(*stories, return_exceptions=True)
        faults = []
        for name, end in zip(urls, ends, strict=True):
            if isinstance(end, BaseException):
                end.add_note(f"on {name}")
                faults.append(end)
        if len(faults) == 1:
            raise faults[0]
        if faults:
            raise BaseExceptionGroup("on both databases", faults)

    own = [parameter for name, parameter in wanted.items() if name not in (*_OURS, *_FIXTURES)]
    fixed = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in _FIXTURES]
    plain = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    test.__name__, test.__doc__, test.__module__ = tell.__name__, tell.__doc__, tell.__module__
    test.__signature__ = inspect.Signature([*fixed, *plain])  # type: ignore[attr-defined]
    test.pytestmark = getattr(tell, "pytestmark", [])  # type: ignore[attr-defined]
    return test


_OURS = ("story", "begin_story", "database_url", "folder", "starting")


async def _told(tell: Teller, known: dict[str, Any], wanted: set[str]) -> None:
    beginning = _beginning(known["folder"], known["database_url"], known["city"], known["starting"])
    if "story" in wanted:
        async with beginning() as story:
            known["story"] = story
            await tell(**{name: known[name] for name in wanted})
        return
    known["begin_story"] = beginning
    await tell(**{name: known[name] for name in wanted})


def _beginning(folder: Path, database_url: str, city: City, starting: asyncio.Lock) -> Begin:
    @asynccontextmanager
    async def begin_story(**options: Any) -> AsyncIterator[Story]:
        async with begin(folder, database_url, city, starting=starting, **options) as story:
            yield story
            await story.judge()

    return begin_story
