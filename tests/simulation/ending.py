"""What must be true when the night is over and everything that was under way has come to its end. Changes nothing."""

from typing import TYPE_CHECKING

from tests.simulation.judge import Broken, Line
from tests.simulation.laws import MAY_REST
from tests.simulation.senders import incidents_least

if TYPE_CHECKING:
    from tests.simulation.schedule import Schedule

_UNSENT = """SELECT a.id, a.state, a.due_at, n.incident_id FROM attempts a JOIN notifications n
 ON n.id = a.notification_id WHERE a.state IN ('planned', 'sending') AND a.due_at < ?"""
_NEVER_SUBMITTED = """SELECT n.id, n.incident_id, group_concat(a.id) FROM notifications n JOIN attempts a
 ON a.notification_id = n.id WHERE n.purpose = 'page' AND n.state NOT IN ('canceled', 'expired')
 AND NOT (n.state = 'unknown' AND a.error = 'unsettled') GROUP BY n.id"""
"""Below life safety a page of which nobody can say whether it was sent is not sent again: the ladder goes on."""


def judge_the_end(world: "Schedule") -> None:
    """Raises Broken."""
    if len(world.judge.standing) < incidents_least:
        raise Broken(f"only {len(world.judge.standing)} incidents: the night proves too little")
    _every_receipted_alarm_was_heard(world)
    _everything_was_sent(world)
    _nothing_twice(world)


def _every_receipted_alarm_was_heard(world: "Schedule") -> None:
    """No committed alarm is lost: each opened an incident or joined one, and people were asked about it."""
    heard = {
        (str(line.data.get("device")), str(line.data.get("code"))): line.incident_id
        for line in world.judge.lines
        if line.kind in ("opened", "signal", "held")
    }
    told = ("planned", "step_skipped", "folded", "withheld")
    asked = {line.incident_id for line in world.judge.lines if line.kind in told or _rests(line)}
    for event in world.senders.events:
        if not event.receipted:
            raise Broken(f"{event.event_id} of {event.spot.device_id} never got its receipt")
        incident = heard.get((event.spot.device_id, event.spot.code))
        if event.state == "raised" and (incident is None or incident not in asked):
            raise Broken(f"{event.event_id} of {event.spot.device_id} is committed, and nobody was asked")


def _rests(line: Line) -> bool:
    return line.data.get("due_reason") in MAY_REST


def _everything_was_sent(world: "Schedule") -> None:
    now = world.life_now().replace(tzinfo=None)
    for attempt, state, due_at, incident in world.driver.execute(_UNSENT, (f"{now:%Y-%m-%d %H:%M:%S.%f}",)):
        raise Broken(f"{incident}: attempt {attempt} is still {state}, due {due_at}")
    for notification, incident, attempts in world.driver.execute(_NEVER_SUBMITTED):
        if not any(world.books.submitted[attempt] for attempt in attempts.split(",")):
            raise Broken(f"{incident}: page {notification} was never handed to its provider")


def _nothing_twice(world: "Schedule") -> None:
    for attempt, times in world.books.submitted.items():
        if times > 1 + world.crashes:
            raise Broken(f"attempt {attempt} was submitted {times} times with {world.crashes} crashes")
