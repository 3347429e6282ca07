"""Configured escalation policies, in the order in which they are tried. Never decides."""

from sqlalchemy import Connection, select

from alerting.core.model import Policy
from alerting.core.policy import parse
from alerting.store.tables import policies

_ALL = select(policies.c.name, policies.c.document, policies.c.version).order_by(policies.c.position)


def load(conn: Connection) -> tuple[Policy, ...]:
    return tuple(parse(row.name, row.document, row.version) for row in conn.execute(_ALL))
