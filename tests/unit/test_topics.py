"""Topics of our own dialect: what is read, what is refused, what is built."""

import pytest

from gateway.topics import UpKind, UpTopic, command_topic, parse_up, receipt_topic, up_filter


@pytest.mark.parametrize("kind", list(UpKind))
def test_every_kind_is_read(kind: UpKind) -> None:
    assert parse_up(f"gengfu/v1/smoke_3-0502/up/{kind}") == UpTopic("smoke_3-0502", kind)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "gengfu/v1/smoke-1/up",
        "gengfu/v1/smoke-1/up/",
        "gengfu/v1/smoke-1/up/event/",
        "gengfu/v1/smoke-1/up/event\n",
        "gengfu/v1/smoke-1/up/firmware",
        "gengfu/v1/smoke-1/down/receipt",
        "gengfu/v2/smoke-1/up/event",
        "gengfu/v1/abc/up/event",
        "gengfu/v1/" + "x" * 65 + "/up/event",
        "gengfu/v1//up/event",
        "gengfu/v1/smoke/1/up/event",
        "gengfu/v1/烟感0001/up/event",
        "/gengfu/v1/smoke-1/up/event",
        "zigbee2mqtt/smoke-1",
        "$SYS/broker/uptime",
    ],
)
def test_anything_else_is_not_ours(topic: str) -> None:
    assert parse_up(topic) is None


def test_topics_are_built() -> None:
    assert up_filter(UpKind.EVENT) == "gengfu/v1/+/up/event"
    assert receipt_topic("smoke-0001") == "gengfu/v1/smoke-0001/down/receipt"
    assert command_topic("smoke-0001") == "gengfu/v1/smoke-0001/down/command"


@pytest.mark.parametrize("device", ["", "abc", "+", "####", "a/../b", "smoke-1/up", "smoke-1\n", "x" * 65])
def test_an_id_that_leaves_its_branch_is_refused(device: str) -> None:
    with pytest.raises(ValueError, match="not a device id"):
        receipt_topic(device)
    with pytest.raises(ValueError, match="not a device id"):
        command_topic(device)
