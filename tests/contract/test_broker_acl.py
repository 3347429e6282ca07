"""Ten thousand generated topics against the shipped access list, on a real mosquitto: nothing leaks either way."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gengfu.broker.child import MosquittoChild
from gengfu.broker.files import SERVICE_USERNAME, Account, SourceFilter, render
from simulators.wire import Wire, WireError
from tests.contract.broker_topics import (
    DEVICE,
    DEVICE_RIGHTS,
    FOREIGN,
    FOREIGN_FILTERS,
    NEIGHBOUR,
    SOURCE,
    SOURCE_FILTERS,
    SOURCE_RIGHTS,
    Rights,
    batches,
    filters,
    topics,
    well_formed,
)
from tests.support.mosquitto import Login
from tests.support.mqtt import Probe, Will

SEED = 20261127
MARK = b"leak-"
EVERYTHING = "test-sees-everything"
ALL_TOPICS = ("#", "$SYS/#", "$CONTROL/#", "$share/#", "$queue/#", "$local/#", "$gengfu/#")
publishes, subscribes, spoken, wills = 4_000, 1_000, 1_500, 30
"""For each of the two accounts: topics published to, filters subscribed to; and topics that others speak on."""
window = 500

HOLES = {
    "any device's up": ("pattern write gengfu/v1/%u/up/#", "pattern write gengfu/v1/+/up/#"),
    "its own down, as if it were us": ("pattern write gengfu/v1/%u/up/#", "pattern write gengfu/v1/%u/#"),
    "any device's down": ("pattern read gengfu/v1/%u/down/#", "pattern read gengfu/v1/+/down/#"),
    "its own up, of whoever speaks in its name": ("pattern read gengfu/v1/%u/down/#", "pattern read gengfu/v1/%u/#"),
    "everything": ("pattern read gengfu/v1/%u/down/#", "pattern readwrite #"),
    "the broker itself": ("pattern read gengfu/v1/%u/down/#", "pattern read $SYS/#\npattern read gengfu/v1/%u/down/#"),
    "a source speaks as a device of its name": ("topic deny gengfu/#", "topic deny gengfu/v2/#"),
    "a source reaches another source": ("topic readwrite zigbee2mqtt/east/#", "topic readwrite zigbee2mqtt/#"),
}


@dataclass(slots=True)
class Ground:
    """A mosquitto with the rendered files, and one account of the test's own that may do everything."""

    child: MosquittoChild
    logins: dict[str, Login]
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    allowed: int = 0

    async def wire(self, account: str, heard: list[tuple[str, bytes]] | None = None, client_id: str = "") -> Wire:
        def take(topic: str, payload: bytes) -> None:
            if heard is not None:
                heard.append((topic, payload))

        wire = Wire(on_message=take)
        login = self.logins[account]
        await wire.connect(self.child.host, self.child.port, client_id or account, login.username, login.secret)
        return wire


@asynccontextmanager
async def ground(folder: Path, hole: tuple[str, str] | None = None) -> AsyncIterator[Ground]:
    """`hole`: a line of the access list, and what stands there instead."""
    logins = {name: Login.fresh(name) for name in (SERVICE_USERNAME, DEVICE, NEIGHBOUR, SOURCE, FOREIGN, EVERYTHING)}
    accounts: dict[str, Account] = {name: login.account for name, login in logins.items()}
    pairs = [*((SOURCE, each) for each in SOURCE_FILTERS), *((FOREIGN, each) for each in FOREIGN_FILTERS)]
    child = await MosquittoChild.launch(folder, service=accounts[SERVICE_USERNAME])
    render(
        child.directory,
        port=child.port,
        service=accounts[SERVICE_USERNAME],
        devices=[accounts[DEVICE], accounts[NEIGHBOUR], accounts[EVERYTHING]],
        sources=[accounts[SOURCE], accounts[FOREIGN]],
        filters=[SourceFilter(*pair) for pair in pairs],
        broker_user=child.user,
    )
    acl = child.directory / "acl"
    shipped = acl.read_text()
    if hole is not None:
        assert hole[0] in shipped, "the access list has no such line any more"
        shipped = shipped.replace(*hole)
    ours = "".join(f"topic readwrite {each}\n" for each in ALL_TOPICS)
    acl.write_text(f"{shipped}\nuser {EVERYTHING}\n{ours}")
    async with child:
        await child.reload()
        yield Ground(child, logins)


async def publish_all(on: Ground, rights: Rights, rng: random.Random, count: int) -> None:
    """Publish to every topic; whoever may see everything must see what is allowed, and nothing else."""
    on.heard.clear()
    observer = await on.wire(EVERYTHING, on.heard)
    for topic_filter in ALL_TOPICS:
        await observer.subscribe(topic_filter)
    said = topics(rng, count)
    good = [topic for topic in said if well_formed(topic)]
    sender = await on.wire(rights.account)
    number = 0
    for batch in batches(good, window):
        for topic in batch:
            sender.publish(topic.encode(), MARK + str(number).encode())
            number += 1
        await sender.flush()
        await asyncio.wait_for(sender.below(1), 10)
    assert not sender.closed.is_set(), "the line must survive every refusal"
    await sender.close()
    for topic in set(said) - set(good):
        await _malformed(on, rights.account, topic)
    await _heard_last(on, on.heard)
    arrived = {topic for topic, payload in on.heard if payload.startswith(MARK)}
    expected = {topic for topic in good if rights.may_write(topic)}
    on.allowed += len(expected)
    on.leaks += [f"{rights.account} wrote to {topic!r}" for topic in arrived - expected]
    assert not expected - arrived, f"{rights.account} may write to {sorted(expected - arrived)[:5]}"
    await observer.close()


async def _malformed(on: Ground, account: str, topic: str) -> None:
    """The broker hangs up on whoever sends this; on a line of its own."""
    wire = await on.wire(account, client_id="malformed")
    wire.publish(topic.encode(), MARK + b"malformed")
    await wire.flush()
    await asyncio.wait_for(wire.below(1), 10)
    wire.abort()


async def subscribe_all(on: Ground, rights: Rights, rng: random.Random, filter_count: int, topic_count: int) -> None:
    """Subscribe to every filter; of all that others then say, only what is allowed may come."""
    speaker = await on.wire(EVERYTHING)
    heard: list[tuple[str, bytes]] = []
    listener = await on.wire(rights.account, heard)
    wanted = filters(rng, filter_count)
    for topic_filter in wanted:
        if well_formed(topic_filter, wildcards=True):
            await listener.subscribe(topic_filter)
        else:
            await _malformed_filter(on, rights.account, topic_filter)
    said = [*topics(rng, topic_count), *(f"gengfu/v1/{DEVICE}/down/{n}" for n in range(20)), "zigbee2mqtt/east/last"]
    said = [topic for topic in said if well_formed(topic) and not topic.startswith("$")]
    for batch in batches(said, window):
        for topic in batch:
            speaker.publish(topic.encode(), MARK + b"said")
        await speaker.flush()
        await asyncio.wait_for(speaker.below(1), 10)
    last = f"gengfu/v1/{DEVICE}/down/last" if not rights.filters else "zigbee2mqtt/east/the-end"
    await listener.subscribe(last)
    speaker.publish(last.encode(), b"end")
    await speaker.flush()
    async with asyncio.timeout(30):
        while not any(payload == b"end" for _, payload in heard):  # noqa: ASYNC110 - the wire calls nobody
            await asyncio.sleep(0.01)
    arrived = {topic for topic, _ in heard}
    on.allowed += len(arrived)
    on.leaks += [f"{rights.account} heard {topic!r}" for topic in arrived if not rights.may_read(topic)]
    for wire in (listener, speaker):
        await wire.close()


async def _malformed_filter(on: Ground, account: str, topic_filter: str) -> None:
    wire = await on.wire(account, client_id="malformed")
    with suppress(WireError):
        await wire.subscribe(topic_filter)
    wire.abort()


async def die_everywhere(on: Ground, rights: Rights, rng: random.Random, count: int) -> None:
    """Last wills are messages too."""
    on.heard.clear()
    observer = await on.wire(EVERYTHING, on.heard)
    await observer.subscribe("#")
    login = on.logins[rights.account]
    foreign = [each for each in topics(rng, 10 * count) if well_formed(each) and not rights.may_write(each)][:count]
    for topic in foreign:
        will = Will(topic, MARK + b"will", retain=False)
        line = await Probe.connect(on.child.port, login, client_id="dying", version=5, will=will)
        await line.cut()
    await _heard_last(on, on.heard)
    on.leaks += [f"the will of {rights.account} came on {topic!r}" for topic, payload in on.heard if MARK in payload]
    await observer.close()


async def _heard_last(on: Ground, heard: list[tuple[str, bytes]]) -> None:
    """Everything that was said before has come in."""
    speaker = await on.wire(EVERYTHING, client_id="last")
    speaker.publish(b"the/end", b"end")
    await speaker.flush()
    async with asyncio.timeout(30):
        while not any(payload == b"end" for _, payload in heard):  # noqa: ASYNC110 - the wire calls nobody
            await asyncio.sleep(0.01)
    await speaker.close()


async def judge(on: Ground, rng: random.Random, share: float) -> None:
    for rights in (DEVICE_RIGHTS, SOURCE_RIGHTS):
        await publish_all(on, rights, rng, round(publishes * share))
        await subscribe_all(on, rights, rng, round(subscribes * share), round(spoken * share))
        await die_everywhere(on, rights, rng, round(wills * share))


async def test_ten_thousand_topics_leak_nothing(tmp_path: Path) -> None:
    assert 2 * (publishes + subscribes) >= 10_000
    async with ground(tmp_path / "broker") as on:
        await judge(on, random.Random(SEED), 1.0)
    assert on.leaks == []
    assert on.allowed > 500, "what is allowed must come through, or nothing was tried"


@pytest.mark.parametrize("hole", HOLES)
async def test_a_planted_hole_is_found(tmp_path: Path, hole: str) -> None:
    async with ground(tmp_path / "broker", HOLES[hole]) as on:
        await judge(on, random.Random(SEED), 0.1)
    assert on.leaks != []
