"""The town's devices as senders: alarms in several rooms, resent until receipted, doubled, late, restored.

They keep what they sent, and whether they hold a receipt for it: whoever has one must have been heard. Decides nothing.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from alerting.service import Service
from alerting.verdicts import Outcome
from devices.signals import RawMessage
from tests.simulation.town import GRID_OF, SPOTS, Spot

if TYPE_CHECKING:
    from tests.simulation.schedule import Schedule

incidents_least = 5
latest_s = 1780.0


@dataclass(slots=True)
class Event:
    """One word of one device."""

    spot: Spot
    event_id: str
    state: str
    payload: bytes
    receipted: bool = False

    @property
    def topic(self) -> str:
        return f"gengfu/v1/{self.spot.device_id}/up/event"


class Senders:
    """`plan` puts a night's worth of alarms on the agenda."""

    def __init__(self, world: "Schedule") -> None:
        self._world = world
        self.events: list[Event] = []

    def plan(self, night_s: float) -> None:
        """At least five incidents of different keys, early enough to become something; then whatever comes."""
        dice = self._world.dice
        keys = _keys()
        for key in dice.sample(sorted(keys), dice.randint(incidents_least, incidents_least + 2)):
            begins = dice.uniform(0, night_s * 0.7)
            first = dice.choice(keys[key])
            self._story(first, begins)
            for spot in dice.sample(keys[key], min(len(keys[key]), dice.choice((0, 0, 1, 1, 3)))):
                self._story(spot, begins + dice.uniform(0, 300))
        for spot in dice.choices(list(SPOTS.values()), k=dice.randint(0, 4)):
            self._story(spot, dice.uniform(0, night_s * 0.9))

    def _story(self, spot: Spot, begins: float) -> None:
        dice, world = self._world.dice, self._world
        begins = min(begins, latest_s)
        raised = [self._event(spot, "raised", begins)]
        if dice.random() < 0.1:  # the same once more, as another event
            raised.append(self._event(spot, "raised", begins))
        world.at(begins, lambda: self._send(raised))
        if dice.random() < 0.3:
            ends = min(begins + dice.uniform(5, 600), latest_s)
            restored = [self._event(spot, "restored", ends)]
            world.at(ends, lambda: self._send(restored))

    def _event(self, spot: Spot, state: str, at_s: float) -> Event:
        dice, world = self._world.dice, self._world
        number = len(self.events)
        body: dict[str, Any] = {"event_id": f"e-{number}", "code": spot.code, "state": state}
        late = dice.choice((None, 0.0, 0.0, 7200.0))
        if late is not None:
            body["observed_at"] = (world.begins + timedelta(seconds=at_s - late)).isoformat()
        event = Event(spot, f"e-{number}", state, json.dumps(body).encode())
        self.events.append(event)
        return event

    def _send(self, events: list[Event]) -> None:
        """Publish; whatever is not receipted is published again."""
        world, dice = self._world, self._world.dice
        waiting = [event for event in events if not event.receipted]
        if not waiting:
            return
        if dice.random() > 0.15:  # else lost on the way
            copies = waiting * dice.choice((1, 1, 1, 2))
            world.ask(lambda service: self._hand_over(service, copies))
        world.at(world.loop.time() + dice.uniform(3, 15), lambda: self._send(waiting))

    async def _hand_over(self, service: Service, events: list[Event]) -> None:
        now = self._world.life_now()
        batch = [service.entry.prepare(RawMessage(event.topic, event.payload, now)) for event in events]
        verdicts = await service.entry.handle(batch)
        for event, verdict in zip(events, verdicts, strict=True):
            known = verdict.outcome in (Outcome.COMMITTED, Outcome.DUPLICATE)
            if known and self._world.dice.random() > 0.1:  # else the receipt is lost on its way
                event.receipted = True


def _keys() -> dict[str, list[Spot]]:
    """Where alarms fold into one incident: fire and gas of one building; every other device by itself."""
    keys: dict[str, list[Spot]] = {}
    for spot in SPOTS.values():
        family = spot.code.partition(".")[0]
        folded = family in ("fire", "gas") and spot.building in GRID_OF
        keys.setdefault(f"{family}:{spot.building}" if folded else spot.device_id, []).append(spot)
    return keys
