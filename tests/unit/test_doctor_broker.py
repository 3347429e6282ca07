"""What the doctor makes of a password file beside the registry: pure, so every difference can be shown."""

from pathlib import Path

import pytest

from gengfu.doctor_broker import accounts_compared

FOLDER = Path("/etc/gengfu/broker")
FILE = ["gengfu-service:$7$1$a$b\n", "zigbee-east:$7$1$c$d\n", "smoke-0001:$7$1$e$f\n", "smoke-0002:$7$1$g$h\n"]
REGISTRY = [("smoke-0001", "$7$1$e$f"), ("smoke-0002", "$7$1$g$h")]
OURS = {"gengfu-service", "zigbee-east"}


def test_the_same_accounts_are_fine() -> None:
    finding = accounts_compared(FILE, REGISTRY, OURS, FOLDER)
    assert finding.ok
    assert "2 devices" in finding.sentence


@pytest.mark.parametrize(
    ("lines", "registry", "told"),
    [
        (FILE[:3], REGISTRY, "1 cannot connect (smoke-0002)"),
        (FILE, REGISTRY[:1], "1 could although revoked or renewed (smoke-0002)"),
        (FILE, [REGISTRY[0], ("smoke-0002", "$7$1$new$new")], "1 cannot connect (smoke-0002) and 1 could"),
        (FILE, [], "2 could although revoked or renewed (smoke-0001, smoke-0002)"),
        ([], REGISTRY, "2 cannot connect"),
    ],
)
def test_each_difference_is_named_with_its_remedy(lines: list[str], registry: list[tuple[str, str]], told: str) -> None:
    finding = accounts_compared(lines, registry, OURS, FOLDER)
    assert not finding.ok
    assert told in finding.sentence
    assert "gengfu broker files /etc/gengfu/broker" in finding.sentence
    assert "$7$" not in finding.sentence


def test_of_many_a_few_are_named() -> None:
    registry = [(f"device-{number:04}", "$7$1$e$f") for number in range(300)]
    finding = accounts_compared([], registry, OURS, FOLDER)
    assert "300 cannot connect" in finding.sentence
    assert len(finding.sentence) < 300
