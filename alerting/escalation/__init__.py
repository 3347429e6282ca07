"""The ordered table of escalation rules: the first that has something to say decides. Nothing registers itself."""

from alerting.escalation import finished, taken_expired, unanswered, unclosed, undelivered
from alerting.escalation.base import Rule

TABLE: dict[str, Rule] = {
    "finished": finished.decide,
    "unclosed": unclosed.decide,
    "taken_expired": taken_expired.decide,
    "undelivered": undelivered.decide,
    "unanswered": unanswered.decide,
}
