"""What must be true when the night is over and everything that was under way has come to its end. Changes nothing."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from alerting.core.routing import short_s
from tests.simulation.judge import Broken, Line
from tests.simulation.laws import MAY_REST
from tests.simulation.senders import incidents_least

if TYPE_CHECKING:
    from tests.simulation.schedule import Schedule

_UNSENT = """SELECT a.id, a.state, a.due_at, n.incident_id FROM attempts a JOIN notifications n
 ON n.id = a.notification_id WHERE a.state IN ('planned', 'sending') AND a.due_at < ?"""
_NEVER_SUBMITTED = """SELECT n.id, n.incident_id, n.recipient_id, n.channel, n.address, n.urgency, n.state,
 group_concat(a.id), max(a.state = 'sending')
 FROM notifications n JOIN attempts a
 ON a.notification_id = n.id WHERE n.purpose = 'page' AND n.state NOT IN ('canceled', 'expired')
 AND NOT (n.state = 'unknown' AND a.error = 'unsettled') GROUP BY n.id"""
"""Below life safety a page of which nobody can say whether it was sent is not sent again: the ladder goes on."""
_REPLACED = """EXISTS (SELECT 1 FROM notifications m WHERE m.incident_id = n.incident_id
 AND m.recipient_id = n.recipient_id AND m.channel = n.channel AND m.planned_at > n.planned_at
 AND m.state NOT IN ('canceled', 'rejected'))"""
"""A newer one says more to the same phone: the older is not sent again."""
_UNSETTLED = f"""SELECT a.id, n.incident_id, a.due_at FROM attempts a JOIN notifications n ON n.id = a.notification_id
 WHERE a.state = 'unknown' AND (a.due_at < ? OR (a.due_at IS NULL AND n.urgency = 0 AND n.purpose = 'page'
 AND n.state = 'unknown' AND n.channel != 'app' AND NOT EXISTS (SELECT 1 FROM attempts f
 WHERE f.notification_id = n.id AND f.number > a.number) AND NOT {_REPLACED}))"""
_TWO_CARRIERS = """SELECT n.id, n.incident_id, a.id, a.reason FROM notifications n JOIN attempts a
 ON a.notification_id = n.id WHERE n.channel != 'app' ORDER BY n.id, a.number"""
MAY_CHANGE = frozenset({"failover", "hedge", "unsettled", "redial", "busy", "line_busy", "asked_again"})
"""Why a message may go to a carrier that is not the one before. `busy`: that one has not taken it."""
line_s = 85.0
"""A call has its phone for the ring time and a minute at most."""
found_s = 20.0
"""What waits in memory alone is not known to the leaps: they end where its lease does."""
settle_least_s = 10.0


def judge_the_end(world: "Schedule") -> None:
    """Raises Broken."""
    if len(world.judge.standing) < incidents_least:
        raise Broken(f"only {len(world.judge.standing)} incidents: the night proves too little")
    _every_receipted_alarm_was_heard(world)
    _everything_was_sent(world)
    _everything_was_settled(world)
    _another_carrier_for_a_reason(world)
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
    shown = _shown(world, 0.0)
    for attempt, state, due_at, incident in world.driver.execute(_UNSENT, (shown,)):
        raise Broken(f"{incident}: attempt {attempt} is still {state}, due {due_at}")
    for row in world.driver.execute(_NEVER_SUBMITTED):
        notification, incident, recipient, _, _, _, state, attempts, under_way = row
        if any(world.books.submitted[attempt] for attempt in attempts.split(",")):
            continue
        answered = state == "taken" and world.truth.answered(incident, recipient)
        if not answered and not (under_way and _waits(world, row)):
            raise Broken(f"{incident}: page {notification} ({state}) was never handed to its provider")


def _waits(world: "Schedule", row: tuple[Any, ...]) -> bool:
    """It was planned lately: its carriers are full for a moment; or its phone has had other calls ever since, each as
    long as a call can be, none of them less urgent."""
    notification, _, _, channel, address, urgency, *_ = row
    since = world.planned[notification]
    if world.has_two and world.loop.time() - since <= short_s + found_s:
        return True
    if channel != "voice":
        return False
    before = world.calls.to(address, since - line_s)
    lesser = [each for each in world.calls.to(address, since + 1) if each.urgency > urgency]
    waited = world.loop.time() - since
    return bool(before) and not lesser and waited <= len(before) * line_s + found_s


def _everything_was_settled(world: "Schedule") -> None:
    """Of nothing that was handed over it stays open whether it went out: it was looked up, or sent again."""
    for attempt, incident, due_at in world.driver.execute(_UNSETTLED, (_shown(world, settle_least_s),)):
        if not world.judge.standing[incident].answered:
            raise Broken(f"{incident}: attempt {attempt} was never settled (due {due_at})")


def _another_carrier_for_a_reason(world: "Schedule") -> None:
    """No message goes to two carriers unless its attempts say why, and no attempt goes to two."""
    last: dict[str, str] = {}
    for notification, incident, attempt, reason in world.driver.execute(_TWO_CARRIERS):
        by = world.books.by.get(attempt, set())
        if len(by) > 1:
            raise Broken(f"{incident}: attempt {attempt} was handed to {sorted(by)}")
        for carrier in by:
            if last.setdefault(notification, carrier) != carrier and reason not in MAY_CHANGE:
                raise Broken(f"{incident}: {attempt} went to {carrier} after {last[notification]}, and says {reason}")
            last[notification] = carrier


def _shown(world: "Schedule", ago_s: float) -> str:
    return f"{world.life_now().replace(tzinfo=None) - timedelta(seconds=ago_s):%Y-%m-%d %H:%M:%S.%f}"


def _nothing_twice(world: "Schedule") -> None:
    for attempt, times in world.books.submitted.items():
        if times > 1 + world.crashes:
            raise Broken(f"attempt {attempt} was submitted {times} times with {world.crashes} crashes")
