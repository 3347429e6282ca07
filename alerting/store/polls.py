"""Which messages a provider has accepted and said nothing of since. Never asks one, never decides."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, or_, select

from alerting.core.model import AttemptState
from alerting.store.tables import attempts, notifications
from devices.model import Channel


@dataclass(frozen=True, slots=True)
class Age:
    """Accepted after `after` and not later than `until`, on one channel, in one of these states."""

    channel: Channel
    states: tuple[AttemptState, ...]
    after: datetime
    until: datetime


def silent(conn: Connection, ages: Sequence[Age], providers: Collection[str], most: int) -> list[tuple[str, str]]:
    """(attempt, provider) of messages without the word that ends them, the newest first."""
    query = _silent(tuple((age.channel, age.states) for age in ages), tuple(sorted(providers)), most)
    moments = {f"after_{number}": age.after for number, age in enumerate(ages)}
    moments |= {f"until_{number}": age.until for number, age in enumerate(ages)}
    return [(row[0], row[1]) for row in conn.execute(query, {**moments, "after": min(age.after for age in ages)})]


@cache
def _silent(
    shape: tuple[tuple[Channel, tuple[AttemptState, ...]], ...], providers: tuple[str, ...], most: int
) -> Select[Any]:
    """Asked every second: built once for what is configured."""
    wanted = [
        and_(
            attempts.c.provider_accepted_at > bindparam(f"after_{number}"),
            attempts.c.provider_accepted_at <= bindparam(f"until_{number}"),
            attempts.c.state.in_([state.value for state in states]),
            notifications.c.channel == channel.value,
        )
        for number, (channel, states) in enumerate(shape)
    ]
    return (
        select(attempts.c.id, attempts.c.provider)
        .join(notifications, notifications.c.id == attempts.c.notification_id)
        .where(
            # Said once more for the partial index: these two are all that stands in it.
            attempts.c.state.in_((AttemptState.PROVIDER_ACCEPTED.value, AttemptState.SENT.value)),
            attempts.c.provider_accepted_at > bindparam("after"),
            attempts.c.provider.in_(list(providers)),
            attempts.c.provider_ref.is_not(None),
            or_(*wanted),
        )
        .order_by(attempts.c.provider_accepted_at.desc())
        .limit(most)
    )
