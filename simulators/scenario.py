"""Stories in TOML: what devices say, what people do, what breaks, and what must come of it. Plays nothing itself."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from devices.model import Channel
from devices.signals import Scalar
from devices.taxonomy import TAXONOMY
from simulators.city import City, CityError, load_city
from simulators.emulating.faults import FaultKind
from simulators.obeying import OFF
from simulators.obeying import Result as CommandResult
from simulators.phone import Answers

SCENARIO_FOLDER = Path(__file__).parent / "scenarios"
DEFAULT_SCENARIO = "flat_fire"


class ScenarioError(Exception):
    """One sentence: which key of which story is wrong."""


class State(StrEnum):
    RAISED = "raised"
    RESTORED = "restored"


class AppTaps(StrEnum):
    ACCEPT = "accept"
    NONE = "none"


class Purpose(StrEnum):
    """Why somebody is told, in the words of the notification table."""

    PAGE = "page"
    UPDATE = "update"
    ALL_CLEAR = "all_clear"


class Result(StrEnum):
    """What became of one expected message, as far as the outside can see it."""

    PROVIDER_ACCEPTED = "provider_accepted"
    """The provider, or for the app the person's own client, took it."""
    ANSWERED = "answered"
    """The call was picked up by a person."""


class Order(StrEnum):
    ORDERED = "ordered"
    UNORDERED = "unordered"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEvent:
    """A device raises or ends a condition."""

    at_s: float
    device: str
    code: str
    state: State = State.RAISED
    values: dict[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTelemetry:
    """A device reports values that are no event."""

    at_s: float
    device: str
    values: dict[str, Scalar]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneScript:
    """What one person does. Times are seconds of the story, counted from the ringing, the words or the arrival."""

    answers: Answers = Answers.PERSON
    answers_after_s: float = 2.0
    presses: str = ""
    """Keys in order; empty presses nothing."""
    replies: str | None = None
    """Text sent back for each SMS."""
    replies_after_s: float = 3.0
    app_online: bool = True
    """Whether the app is open: received messages are confirmed at once."""
    app_taps: AppTaps = AppTaps.NONE
    app_taps_after_s: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceScript:
    """How a device takes commands; it is permitted to obey those of the story. `answers` silent: it says nothing."""

    answers: CommandResult = CommandResult.DONE
    answers_after_s: float = 0.5
    reason: str = ""
    """Why not, where it fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFault:
    """The provider does something wrong for a while. `channel` None means both of its channels."""

    at_s: float
    until_s: float
    kind: FaultKind
    channel: Channel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One message that must happen, at most `within_s` seconds of the story after the first event was published.

    `after_s` is the earliest second at which it may happen: the step it belongs to.
    """

    recipient: str
    channel: Channel
    within_s: float
    outcome: Result = Result.PROVIDER_ACCEPTED
    purpose: Purpose = Purpose.PAGE
    after_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What must come of the story. With `nothing_else` any message beyond the list fails it.

    `taken_by` is the person who goes, None that nobody does. `incidents` is how many are opened.
    """

    messages: tuple[Expected, ...]
    taken_by: str | None = None
    taken_within_s: float | None = None
    order: Order = Order.UNORDERED
    nothing_else: bool = True
    incidents: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A whole story. Lists stand in order of time. People without a script let the telephone ring, app closed."""

    name: str
    title: str
    title_en: str
    summary: str
    summary_en: str
    city: str
    lasts_s: float
    """Seconds of the story after which it is judged."""
    events: tuple[DeviceEvent, ...]
    telemetry: tuple[DeviceTelemetry, ...] = ()
    phones: dict[str, PhoneScript] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    """Actions that the policy of the story has devices carry out: cut_power, sound_siren."""
    devices: dict[str, DeviceScript] = field(default_factory=dict)
    faults: tuple[ProviderFault, ...] = ()
    expect: Expect


def scenario_names() -> tuple[str, ...]:
    """The stories that come with the product, the default one first."""
    names = sorted(path.stem for path in SCENARIO_FOLDER.glob("*.toml"))
    return tuple(sorted(names, key=lambda name: name != DEFAULT_SCENARIO))


def load_scenario(name: str = DEFAULT_SCENARIO) -> Scenario:
    """A shipped story by name. ScenarioError if there is none or a key of it is wrong."""
    if name not in scenario_names():
        raise ScenarioError(f"there is no scenario {name!r}; there are: {', '.join(scenario_names())}")
    return read_scenario(name, (SCENARIO_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def read_scenario(name: str, text: str) -> Scenario:
    """A story from the text of a TOML file; every device, person and code in it exists. ScenarioError names the key."""
    try:
        tables = tomllib.loads(text)
        _no_unknown_keys(name, tables)
        scenario = msgspec.convert({"name": name, **tables}, Scenario)
        city = load_city(scenario.city)
    except tomllib.TOMLDecodeError as fault:
        raise ScenarioError(f"{name}: not TOML: {fault}") from None
    except CityError as fault:
        raise ScenarioError(f"{name}: city: {fault}") from None
    except msgspec.ValidationError as fault:
        raise ScenarioError(f"{name}: {fault}".replace("`$.", "`")) from None
    _check(scenario, city)
    return scenario


_KNOWN_KEYS: dict[str, type[Any]] = {
    "": Scenario,
    "events": DeviceEvent,
    "telemetry": DeviceTelemetry,
    "phones": PhoneScript,
    "devices": DeviceScript,
    "faults": ProviderFault,
    "expect": Expect,
    "expect.messages": Expected,
}


def _no_unknown_keys(name: str, tables: dict[str, object], where: str = "") -> None:
    """msgspec ignores keys that a dataclass does not have; a misspelt key must not pass for its default."""
    known = {each.name for each in fields(_KNOWN_KEYS[where])} - {"name"}
    for key, value in tables.items():
        path = f"{where}.{key}" if where else key
        if key not in known:
            raise ScenarioError(f"{name}: unknown key {path!r}")
        for row in _tables_under(path, value):
            _no_unknown_keys(name, row, path)


def _tables_under(path: str, value: object) -> Iterable[dict[str, object]]:
    if path not in _KNOWN_KEYS:
        return []
    rows = value.values() if path in ("phones", "devices") and isinstance(value, dict) else value
    each = [rows] if isinstance(rows, dict) else rows
    return [row for row in each if isinstance(row, dict)] if isinstance(each, Iterable) else []


def _check(scenario: Scenario, city: City) -> None:
    devices = {device.id for device in city.devices}
    people = {person.id for person in city.people}

    def require(fact: bool, sentence: str) -> None:
        if not fact:
            raise ScenarioError(f"{scenario.name}: {sentence}")

    require(bool(scenario.events), "events: at least one")
    for number, event in enumerate(scenario.events):
        require(event.device in devices, f"events[{number}].device: {event.device!r} is not in {scenario.city}")
        require(event.code in TAXONOMY, f"events[{number}].code: {event.code!r} is not in the taxonomy")
    for number, report in enumerate(scenario.telemetry):
        require(report.device in devices, f"telemetry[{number}].device: {report.device!r} is not in {scenario.city}")
    for person in scenario.phones:
        require(person in people, f"phones.{person}: nobody of this id in {scenario.city}")
    for action in scenario.commands:
        require(action in OFF, f"commands: {action!r} is not one of {', '.join(OFF)}")
    for device in scenario.devices:
        require(device in devices, f"devices.{device}: no device of this id in {scenario.city}")
    for number, fault in enumerate(scenario.faults):
        require(fault.at_s < fault.until_s, f"faults[{number}].until_s: not after at_s")
        require(fault.channel is not Channel.APP, f"faults[{number}].channel: the app has no provider")
    for number, message in enumerate(scenario.expect.messages):
        where = f"expect.messages[{number}]"
        require(message.recipient in people, f"{where}.recipient: {message.recipient!r} is not in {scenario.city}")
        require(message.after_s < message.within_s <= scenario.lasts_s, f"{where}.within_s: not in after_s .. lasts_s")
    taker = scenario.expect.taken_by
    require(taker is None or taker in people, f"expect.taken_by: {taker!r} is not in {scenario.city}")
    times = [event.at_s for event in scenario.events]
    require(times == sorted(times) and times[0] >= 0, "events: not in order of at_s, from 0 on")
