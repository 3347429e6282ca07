"""Nasty MQTT topics and filters by the thousand, and who may use them: an oracle that never looks at an access list."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

DEVICE, NEIGHBOUR, SOURCE, FOREIGN = "smoke-0001", "smoke-0002", "zigbee-east", "frigate-east"
SOURCE_FILTERS = ("zigbee2mqtt/east/#", "tele/+/east")
FOREIGN_FILTERS = ("frigate/#", "zigbee2mqtt/west/#")
LEVELS_MAX = 200
"""mosquitto hangs up on whoever names more."""

_IDS = (
    DEVICE,
    NEIGHBOUR,
    SOURCE,
    FOREIGN,
    "gengfu-service",
    "smoke-000",
    "smoke-00011",
    "moke-0001",
    "xsmoke-0001",
    "SMOKE-0001",
    "Smoke-0001",
    "smoke_0001",
    "smoke-0001 ",
    " smoke-0001",
    "smoke-0001\u200b",
    "smoke-0001\u0301",
    "\u0455moke-0001",
    "smoke\u20100001",
    "\uff53moke-0001",
    "smoke-\uff10001",
    "smoke%2D0001",
    "%u",
    "%c",
    "*",
    "烟感0001",
)
_HEADS = ("gengfu", "Gengfu", "GENGFU", "gengfu ", "g\u0435ngfu", "gengfu.", "$gengfu", "engfu", "gengfuu")
_VERSIONS = ("v1", "V1", "v2", "v1 ", "v", "v11", "\uff561")
_WAYS = ("up", "down", "Up", "UP", "u\u0440", "up ", "upp", "dow", "ups", "updown")
_LEAVES = ("event", "receipt", "command", "telemetry", "status", "", "up", "down", "..", ".", "x" * 2000, "火警")
_ELSEWHERE = (
    "zigbee2mqtt",
    "frigate",
    "tele",
    "east",
    "west",
    "homeassistant",
    "$SYS",
    "$SYS/broker",
    "$share",
    "$CONTROL",
    "$queue",
    "$local",
    "bridge",
    "set",
    "events",
)
_ANY = (*_IDS, *_HEADS, *_VERSIONS, *_WAYS, *_LEAVES, *_ELSEWHERE)


@dataclass(frozen=True, slots=True)
class Rights:
    """What one account may do, by the rules that people are told."""

    account: str
    filters: tuple[str, ...] = ()
    """Of a foreign source; a device has none."""

    def may_write(self, topic: str) -> bool:
        return self._own(topic, "up")

    def may_read(self, topic: str) -> bool:
        return self._own(topic, "down")

    def _own(self, topic: str, way: str) -> bool:
        if self.filters:
            return any(means(each, topic) for each in self.filters)
        return topic.split("/")[:4] == ["gengfu", "v1", self.account, way]


DEVICE_RIGHTS = Rights(DEVICE)
SOURCE_RIGHTS = Rights(SOURCE, SOURCE_FILTERS)


def means(topic_filter: str, topic: str) -> bool:
    """Whether a filter names a topic (MQTT 5, section 4.7), for filters that do not begin with a wildcard."""
    wanted, found = topic_filter.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted, found = wanted[:-1], found[: len(wanted) - 1]
    return len(wanted) == len(found) and all(a in ("+", b) for a, b in zip(wanted, found, strict=True))


def topics(rng: random.Random, count: int) -> list[str]:
    """Different topics; about one in eight is one that the device or the source may use."""
    found: dict[str, None] = {}
    while len(found) < count:
        found[_topic(rng)] = None
    return list(found)


def filters(rng: random.Random, count: int) -> list[str]:
    """Different filters: topics with wildcards in any place, and shared subscriptions."""
    found: dict[str, None] = dict.fromkeys(("#", "+/#", "$SYS/#", "+/+/+/+/+", "gengfu/#", "gengfu/v1/+/down/#"))
    while len(found) < count:
        found[_filter(rng)] = None
    return list(found)


def well_formed(text: str, *, wildcards: bool = False) -> bool:
    """Whether a broker answers it with a word; it hangs up on anything else."""
    levels = text.split("/")
    controls = any(ord(char) < 32 or 127 <= ord(char) < 160 for char in text)
    return text != "" and not controls and len(levels) <= LEVELS_MAX and _wild(levels, wildcards)


def _wild(levels: list[str], wildcards: bool) -> bool:
    if levels[0] == "$share" and wildcards:
        if len(levels) < 3 or not levels[1] or levels[1] in ("+", "#") or not "/".join(levels[2:]):
            return False
        levels = levels[2:]
    for position, level in enumerate(levels):
        if "+" not in level and "#" not in level:
            continue
        alone = level == "+" or (level == "#" and position == len(levels) - 1)
        if not (wildcards and alone):
            return False
    return True


def _topic(rng: random.Random) -> str:
    return rng.choice((_mutant, _mutant, _mutant, _bent, _bent, _jumble, _of_source, _allowed, _monster))(rng)


def _allowed(rng: random.Random) -> str:
    return rng.choice(
        (
            f"gengfu/v1/{DEVICE}/up/{rng.choice(_LEAVES)}/{rng.randrange(10_000)}",
            f"zigbee2mqtt/east/{rng.choice(_ANY)}/{rng.randrange(10_000)}",
            f"tele/{rng.choice(_IDS)}{rng.randrange(1_000)}/east",
        )
    )


def _mutant(rng: random.Random) -> str:
    """The way a device's topic looks, with a level or two that are not right."""
    levels = ["gengfu", "v1", rng.choice(_IDS), rng.choice(("up", "down")), rng.choice(_LEAVES)]
    for _ in range(rng.randrange(3)):
        place = rng.randrange(len(levels))
        levels[place] = rng.choice((_HEADS, _VERSIONS, _IDS, _WAYS, _LEAVES)[place])
    return "/".join([*levels, *([str(rng.randrange(100))] if rng.random() < 0.5 else [])])


def _bent(rng: random.Random) -> str:
    """A right or nearly right topic with slashes, dots and whole parts in the wrong place."""
    text = rng.choice((_mutant, _allowed))(rng)
    levels = text.split("/")
    place = rng.randrange(len(levels))
    return rng.choice(
        (
            "/" + text,
            text + "/",
            text.replace("/", "//", 1),
            "/".join(levels[:place]) or "/",
            "/".join([*levels[:place], "..", *levels[place:]]),
            "/".join([*levels[:place], "", *levels[place:]]),
            "/".join(reversed(levels)),
            f"{text}/../../{NEIGHBOUR}/up/event",
            f"{rng.choice(_ELSEWHERE)}/{text}",
            text.replace("/", rng.choice(("\\", ".", "\u2215", ":")), rng.randrange(1, 4)),
        )
    )


def _jumble(rng: random.Random) -> str:
    return "/".join(rng.choice(_ANY) for _ in range(rng.randrange(1, 9)))


def _of_source(rng: random.Random) -> str:
    head = rng.choice(("zigbee2mqtt/west", "zigbee2mqtt", "frigate", "tele", "Zigbee2mqtt/east", "zigbee2mqtt/eastern"))
    return f"{head}/{rng.choice(_ANY)}/{rng.choice(('set', 'west', 'east', str(rng.randrange(1000))))}"


def _monster(rng: random.Random) -> str:
    """Very long, very deep, or with what no topic may have."""
    number = rng.randrange(10_000)
    return rng.choice(
        (
            f"gengfu/v1/{NEIGHBOUR}/up/{'x' * rng.randrange(1, 2_000)}{number}",
            f"gengfu/v1/{DEVICE}{'/..' * rng.randrange(1, 60)}/{NEIGHBOUR}/up/{number}",
            f"gengfu/v1/{NEIGHBOUR}/up" + "/x" * rng.randrange(1, 150),
            f"gengfu/v1/+/up/{number}" if number % 10 == 0 else f"gengfu/v1/{NEIGHBOUR}/up/e{number}",
            f"gengfu/v1/{NEIGHBOUR}/up/\x01{number}" if number % 10 == 0 else f"gengfu/v1/{NEIGHBOUR}/down/e{number}",
        )
    )


def _filter(rng: random.Random) -> str:
    levels = _topic(rng).split("/")
    for _ in range(rng.randrange(3)):
        levels[rng.randrange(len(levels))] = "+"
    if rng.random() < 0.4:
        levels = [*levels[: rng.randrange(len(levels) + 1)], "#"]
    if rng.random() < 0.2:
        levels = ["$share", rng.choice(("g", "gengfu", DEVICE, "")), *levels]
    return "/".join(levels)


def batches(found: list[str], size: int) -> Iterator[list[str]]:
    for begin in range(0, len(found), size):
        yield found[begin : begin + size]
