"""One message as a push service takes it: at most 4096 bytes encrypted, cut where people lose least. Never sends."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from alerting.channels.base import Submission

plain_bytes_max = 3993
"""RFC 8291: 4096 bytes, less a header of 86, a tag of 16 and a delimiter."""
cut_fields = ("body", "place", "title")
"""In this order: each only when the one before it is empty and it is still too long."""
topic_bytes = 18
_ellipsis = "…"


def topic_of(submission: Submission) -> str:
    """All that is told of one incident replaces what was told before, there and on the phone; a message of no incident
    stands for itself. 24 characters of base64url: neither an id nor a reference is shown to a push service."""
    about = submission.incident_id or submission.notification_id
    digest = hashlib.sha256(about.encode()).digest()[:topic_bytes]
    return base64.urlsafe_b64encode(digest).decode()


def message_of(submission: Submission) -> dict[str, Any] | None:
    """What every browser of the person gets alike; None for a text that is no message."""
    try:
        message = msgspec.json.decode(submission.text, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError):
        return None
    message["notification_id"] = submission.notification_id
    message["incident_id"] = submission.incident_id
    message["tag"] = topic_of(submission)
    message["urgent"] = submission.urgency == 0
    return message


def encoded_to_fit(message: Mapping[str, Any], subscription_id: str) -> bytes | None:
    """The JSON that is encrypted; None when it does not fit even without its prose."""
    told = {**message, "subscription_id": subscription_id}
    data = msgspec.json.encode(told)
    for name in cut_fields:
        text = told.get(name)
        if len(data) <= plain_bytes_max:
            break
        if not isinstance(text, str) or not text:
            continue
        told[name] = _cut(text, len(data) - plain_bytes_max)
        data = msgspec.json.encode(told)
    return data if len(data) <= plain_bytes_max else None


def _cut(text: str, surplus: int) -> str:
    """Shorter by at least this many bytes of JSON, ending in an ellipsis; "" when nothing would be left."""
    surplus += len(_ellipsis.encode())
    kept = len(text)
    while kept and surplus > 0:
        kept -= 1
        surplus -= len(msgspec.json.encode(text[kept])) - 2
    return text[:kept].rstrip() + _ellipsis if kept else ""
