"""The embedded broker: the same accounts and rights as mosquitto's, for `gengfu demo` without a mosquitto."""

import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gengfu.broker.embedded import PROTOCOL_VERSION, EmbeddedBroker
from gengfu.broker.errors import BrokerUnavailable
from gengfu.broker.files import SERVICE_USERNAME, SourceFilter
from tests.support.mosquitto import Login
from tests.support.mqtt import Probe, Received, Refused

SERVICE = Login.fresh(SERVICE_USERNAME)
DEVICE, OTHER, SOURCE = Login.fresh("smoke-0001"), Login.fresh("smoke-0002"), Login.fresh("zigbee-east")


@pytest_asyncio.fixture
async def embedded() -> AsyncIterator[EmbeddedBroker]:
    """A running embedded broker that knows two devices and one foreign source."""
    broker = EmbeddedBroker(
        service=SERVICE.account,
        devices=[DEVICE.account, OTHER.account],
        sources=[SOURCE.account],
        filters=[SourceFilter(SOURCE.username, "zigbee2mqtt/#")],
    )
    async with broker:
        yield broker


async def connect(broker: EmbeddedBroker, login: Login | None) -> Probe:
    """A connection with the only protocol version that this broker speaks."""
    return await Probe.connect(broker.port, login, version=PROTOCOL_VERSION)


@pytest.mark.parametrize(
    "stranger", [None, Login("smoke-0001", "wrong"), Login("smoke-0001", OTHER.secret), Login("smoke-0003", "any")]
)
async def test_strangers_stay_outside(embedded: EmbeddedBroker, stranger: Login | None) -> None:
    with pytest.raises(Refused, match="authori"):
        await connect(embedded, stranger)


async def test_rights_are_those_of_the_rendered_access_list(embedded: EmbeddedBroker) -> None:
    service, device, source = [await connect(embedded, login) for login in (SERVICE, DEVICE, SOURCE)]
    for topic_filter in ("gengfu/v1/#", "zigbee2mqtt/#"):
        assert await service.subscribe(topic_filter) == 1
    for topic_filter in ("#", "+/+/#", "gengfu/v1/+/down/#", "gengfu/v1/smoke-0002/down/#", "zigbee2mqtt/#"):
        assert await device.subscribe(topic_filter) == 0x80, topic_filter
    assert await device.subscribe("gengfu/v1/smoke-0001/down/#") == 1
    assert await source.subscribe("gengfu/v1/#") == 0x80
    await device.publish("gengfu/v1/smoke-0002/up/event", b"foreign")
    await source.publish("gengfu/v1/smoke-0001/up/event", b"foreign")
    await source.publish("gengfu/v1/zigbee-east/up/event", b"as a device of its name")
    await device.publish("gengfu/v1/smoke-0001/up/event", b"own")
    assert await service.next() == Received("gengfu/v1/smoke-0001/up/event", b"own", False)
    await source.publish("zigbee2mqtt/shed", b"source")
    assert await service.next() == Received("zigbee2mqtt/shed", b"source", False)
    await service.publish("gengfu/v1/smoke-0001/down/receipt", b"receipt")
    assert (await device.next()).payload == b"receipt"
    for probe in (service, device, source):
        await probe.close()


async def test_a_device_added_while_it_runs_gets_in(embedded: EmbeddedBroker) -> None:
    newcomer = Login.fresh("smoke-0003")
    embedded.add_device(newcomer.account)
    async with await connect(embedded, newcomer) as probe:
        assert await probe.publish("gengfu/v1/smoke-0003/up/event", b"{}") == 0


async def test_a_taken_port_is_one_clear_sentence(embedded: EmbeddedBroker) -> None:
    rival = EmbeddedBroker(service=SERVICE.account, port=embedded.port)
    with pytest.raises(BrokerUnavailable, match=f"cannot listen on port {embedded.port}"):
        await rival.__aenter__()


def test_without_amqtt_it_says_what_to_install() -> None:
    program = """
import asyncio, sys
sys.modules["amqtt"] = None
from gengfu.broker.embedded import EmbeddedBroker
from gengfu.broker.errors import BrokerUnavailable
from gengfu.broker.files import Account
async def main():
    try:
        async with EmbeddedBroker(service=Account("gengfu-service", "")):
            print("started")
    except BrokerUnavailable as reason:
        print(reason)
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "no embedded broker here (amqtt" in done.stdout, done.stderr
    assert "install mosquitto" in done.stdout
