"""Access tokens: fetched once, renewed before they end, and never in the way of a message that could go."""

import asyncio

from alerting.channels.base import Busy, Rejected, Scope, Unknown
from alerting.channels.tokens import AccessToken, Failed, Fetched, Fresh, Told, with_token

stale = frozenset({"42001"})
ended = Rejected("access_token", Scope.ACCOUNT, "42001")


class Vendor:
    """Hands out what it is told to, and counts."""

    def __init__(self, *answers: Fetched) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.open = asyncio.Event()
        self.open.set()

    async def fetch(self, deadline_s: float) -> Fetched:
        self.asked += 1
        await self.open.wait()
        return self.answers.pop(0)


async def tried(*answers: Told | Failed) -> tuple[Told | Failed, list[str]]:
    """What a message gets, and with which tokens it was tried, when the vendor answers so."""
    token = AccessToken(Vendor(Fresh("a", 7_200), Fresh("b", 7_200)).fetch)
    used: list[str] = []

    async def ask(held: str, deadline_s: float) -> Told | Failed:
        used.append(held)
        return answers[len(used) - 1]

    return await with_token(token, 5, stale, ask), used


async def test_one_fetch_serves_all_who_wait_and_those_who_come_later() -> None:
    vendor = Vendor(Fresh("a", 7_200))
    vendor.open.clear()
    token = AccessToken(vendor.fetch)
    waiting = [asyncio.create_task(token.get(5)) for _ in range(100)]
    await asyncio.sleep(0)
    vendor.open.set()
    assert set(await asyncio.gather(*waiting)) == {"a"}
    assert await token.get(5) == "a"
    assert vendor.asked == 1


async def test_a_token_near_its_end_is_renewed_and_serves_when_that_fails() -> None:
    vendor = Vendor(Fresh("old", 0.4), Unknown("http_500"), Fresh("new", 7_200))
    token = AccessToken(vendor.fetch)
    assert await token.get(5) == "old"
    assert await token.get(5) == "old"
    assert vendor.asked == 1
    await asyncio.sleep(0.25)  # past half of its life, short of its end
    assert await token.get(5) == "old"
    assert vendor.asked == 2
    assert await token.get(5) == "new"


async def test_an_ended_token_serves_nobody() -> None:
    vendor = Vendor(Fresh("old", 0.0), Unknown("http_500"), Rejected("credentials", Scope.ACCOUNT, "40001"))
    token = AccessToken(vendor.fetch)
    assert await token.get(5) == "old"  # it has just come
    assert isinstance(await token.get(5), Busy)
    assert await token.get(5) == Rejected("credentials", Scope.ACCOUNT, "40001")


async def test_who_has_no_time_left_is_busy_and_the_fetch_goes_on() -> None:
    vendor = Vendor(Fresh("a", 7_200))
    vendor.open.clear()
    token = AccessToken(vendor.fetch)
    assert isinstance(await token.get(0.01), Busy)
    vendor.open.set()
    assert await token.get(5) == "a"
    assert vendor.asked == 1


async def test_only_the_refused_token_is_forgotten() -> None:
    vendor = Vendor(Fresh("a", 7_200), Fresh("b", 7_200))
    token = AccessToken(vendor.fetch)
    await token.get(5)
    token.forget("something older")
    assert await token.get(5) == "a"
    token.forget("a")
    assert await token.get(5) == "b"


async def test_a_message_is_repeated_once_for_a_refused_token_and_for_nothing_else() -> None:
    taken: Told = {"errcode": 0}
    agent = Rejected("agent", Scope.ACCOUNT, "40056")
    silence = Unknown("timeout")
    assert await tried(ended, taken) == (taken, ["a", "b"])
    assert await tried(ended, ended) == (ended, ["a", "b"])
    assert await tried(silence) == (silence, ["a"])
    assert await tried(agent) == (agent, ["a"])


async def test_closing_ends_a_fetch_under_way() -> None:
    vendor = Vendor(Fresh("a", 7_200))
    vendor.open.clear()
    token = AccessToken(vendor.fetch)
    asking = asyncio.create_task(token.get(5))
    await asyncio.sleep(0)
    await token.close()
    assert isinstance(await asking, Busy)
    await token.close()
