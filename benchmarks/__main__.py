"""temporary"""
import asyncio, sys, json
from benchmarks.world import World
from benchmarks import latency

async def main() -> None:
    async with World(10_000, 10_000, 10_000) as world:
        rows = await latency.run(world, latency.Load(100, 3000, 3, 10), ["SQLite"], 1, print)
        for row in rows:
            print(json.dumps(row, indent=1))
asyncio.run(main())
