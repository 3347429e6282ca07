"""The ordered table of escalation rules: the first that has something to say decides. Nothing registers itself."""

from alerting.escalation import (
    acknowledgement_expired,
    finished,
    hastened,
    maintenance,
    morning,
    shelved,
    still_charging,
    taken_expired,
    unanswered,
    unclosed,
    undelivered,
)
from alerting.escalation.base import Rule

TABLE: dict[str, Rule] = {
    "finished": finished.decide,
    "acknowledgement_expired": acknowledgement_expired.decide,
    "unclosed": unclosed.decide,
    "shelved": shelved.decide,
    "still_charging": still_charging.decide,
    "taken_expired": taken_expired.decide,
    "morning": morning.decide,
    "maintenance": maintenance.decide,
    "hastened": hastened.decide,
    "undelivered": undelivered.decide,
    "unanswered": unanswered.decide,
}
