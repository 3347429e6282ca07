"""What a decision may look at: loaded once, in one transaction, by the shell. Never changes while the core thinks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from alerting.core.held import Held
from alerting.core.maintenance import Window
from alerting.core.model import Incident, Paged, Policy, Reason, Settings
from devices.resolve import RegistrySnapshot


@dataclass(frozen=True, slots=True)
class Told:
    """A device's newest telemetry."""

    values: Mapping[str, object]
    at: datetime


@dataclass(frozen=True, slots=True)
class Hastened:
    """Whoever was asked on this step may not be reached for now: the next one is asked without waiting."""

    round: int
    step: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class World:
    now: datetime
    snapshot: RegistrySnapshot
    settings: Settings
    policies: tuple[Policy, ...] = ()
    open: Mapping[str, Incident] = field(default_factory=dict)
    """Incidents that hold their dedup key, by that key."""
    paged: Mapping[str, tuple[Paged, ...]] = field(default_factory=dict)
    """What was already planned or sent, by incident id."""
    held: Mapping[str, Held] = field(default_factory=dict)
    """Alarms that wait: of these devices, and of the buildings they are in, by id."""
    steps: frozenset[str] = frozenset()
    """Testers' steps: those of these devices whose walk test runs now."""
    maintenance: tuple[Window, ...] = ()
    """The maintenance windows that run now; loaded only where a signal may be affected."""
    told: Mapping[str, Told] = field(default_factory=dict)
    """What devices told last, by id; loaded only where something charges that became too hot."""
    hastened: Mapping[str, Hastened] = field(default_factory=dict)
    """By incident: steps that need not be waited for."""
    not_recorded: bool = False
    """Decided from memory because nothing can be committed: every text says so."""
