"""Every channel there is, and who can carry it. A new channel or provider is one row here; nothing registers itself."""

from collections.abc import Mapping
from dataclasses import dataclass

from devices.model import Channel


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """How one kind of message leaves the house."""

    carriers: tuple[str, ...]
    """In the order they are tried: vendors of `providers.TABLE`, or `stream` (our own live stream)."""
    submit_deadline_s: float
    """How long a carrier may take to answer before the attempt counts as unknown."""


TABLE: Mapping[Channel, ChannelRow] = {
    Channel.SMS: ChannelRow(carriers=("twilio",), submit_deadline_s=5.0),
    Channel.VOICE: ChannelRow(carriers=("twilio",), submit_deadline_s=5.0),
    Channel.APP: ChannelRow(carriers=("stream",), submit_deadline_s=3.0),
}
