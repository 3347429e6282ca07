"""A call that ended without a key is made again: by the same carrier first, then by each in turn. Never sends."""

from datetime import datetime, timedelta

from alerting.carriers import Carriers
from alerting.channels.base import Receipt
from alerting.core.attempts import CALL_ENDED, TryReason, again_after_call
from alerting.core.model import AttemptState
from alerting.core.routing import alternated
from alerting.ports import Ids
from alerting.store.attempts import Claimed, NewAttempt
from devices.model import Channel


def redial(receipt: Receipt, claimed: Claimed, now: datetime, ids: Ids, carriers: Carriers) -> NewAttempt | None:
    """After the policy's gap and the carrier's own; not where somebody goes, or another attempt of it lives."""
    submission = claimed.submission
    if receipt.kind not in CALL_ENDED or submission.channel is not Channel.VOICE:
        return None
    if claimed.answered or claimed.followed or claimed.state is AttemptState.TAKEN:
        return None
    order = carriers.order(Channel.VOICE, submission.address)
    provider = alternated(order, claimed.provider, claimed.redials)
    min_gap_s = carriers.caps(Channel.VOICE, provider).min_gap_s if provider == claimed.provider else 0.0
    again = again_after_call(claimed.redials, claimed.redial_max, claimed.redial_gap_s, min_gap_s)
    if again is None:
        return None
    return NewAttempt(
        id=ids.attempt(),
        notification_id=submission.notification_id,
        incident_id=submission.incident_id,
        number=max(claimed.number, claimed.newest) + 1,
        reason=TryReason.REDIAL.value,
        provider=provider,
        state=AttemptState.PLANNED,
        due_at=now + timedelta(seconds=again.after_s),
        lease_boot=None,
        received_at=None,
        planned_at=now,
    )
