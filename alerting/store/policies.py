"""Configured escalation policies, in the order in which they are tried. Never decides."""

import logging

from sqlalchemy import Connection, select

from alerting.core.model import Policy
from alerting.core.policy import PolicyError, parse
from alerting.store.tables import policies

log = logging.getLogger(__name__)

_ALL = select(policies.c.name, policies.c.document, policies.c.version).order_by(policies.c.position)


def load(conn: Connection) -> tuple[Policy, ...]:
    """Those that can be read; one that cannot must never stand between an alarm and the defaults."""
    found = []
    for row in conn.execute(_ALL):
        try:
            found.append(parse(row.name, row.document, row.version))
        except PolicyError as fault:
            log.error("policy %s is passed over: %s", row.name, fault)
    return tuple(found)
