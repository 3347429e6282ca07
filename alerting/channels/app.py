"""The app channel: a page over the worker's own live stream. Never calls a page accepted that his client has not
confirmed."""

from typing import Any

import msgspec

from alerting.channels.base import (
    Accepted,
    Caps,
    NotFound,
    Rejected,
    Scope,
    Submission,
    Submitted,
    Unknown,
)
from alerting.channels.modest import Modest
from alerting.stream import Hub
from devices.model import Channel

event_name = "notification"


class AppChannel(Modest):
    """Pushes to the recipient's sessions and waits for `notifications/{id}/received`; the reference is the session id.

    A word that comes after the deadline: `Hub.received` answers False and the caller records it; `reconcile` knows it.
    """

    channel: Channel = Channel.APP
    name: str = "stream"
    caps: Caps = Caps(receipts=True, links=True, finds=True)

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        """The message is the submission's JSON together with the ids that the client needs to answer."""
        data = _message(submission)
        if data is None:
            return Rejected("message_unreadable", Scope.TEXT)
        if not self._hub.push(submission.recipient_id, event_name, data):
            return Rejected("no_session", Scope.SESSION)
        session_id = await self._hub.until_received(submission.notification_id, deadline_s)
        return Unknown("not_confirmed") if session_id is None else Accepted(session_id)

    async def reconcile(self, submission: Submission, provider_ref: str | None) -> Accepted | NotFound | Unknown:
        """Has the client confirmed meanwhile? Showing a page again does no harm: clients know it by its id."""
        session_id = self._hub.receipt_of(submission.notification_id)
        return NotFound() if session_id is None else Accepted(session_id)


def _message(submission: Submission) -> bytes | None:
    try:
        message = msgspec.json.decode(submission.text, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError):
        return None
    message["notification_id"] = submission.notification_id
    message["incident_id"] = submission.incident_id
    return msgspec.json.encode(message)
