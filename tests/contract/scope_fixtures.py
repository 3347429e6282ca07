"""The fixture `world`: two districts behind a running API, on both databases. It holds no test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.contract.api_support import running_api
from tests.contract.scope_asking import World
from tests.contract.scope_cases import MODEL, ORGANISATION
from tests.contract.scope_world import build, made, sides


@pytest_asyncio.fixture
async def world(migrated_url: str) -> AsyncIterator[World]:
    """On both databases."""
    async with running_api(migrated_url) as api:
        city = made(await api.call("POST", "/places", {"kind": "city", "name": "信阳市", "code": "city"}))["id"]
        shared = made(await api.call("POST", "/models", MODEL | {"code": "shared-model"}))["id"]
        unit = made(await api.call("POST", "/organisations", ORGANISATION | {"code": "shared-unit"}))["id"]
        mine, other = sides()
        for side in (mine, other):
            await build(api, side, city)
        yield World(api, mine, other)
        assert shared != unit
