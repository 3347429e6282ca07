"""Web Push (RFC 8030, 8291, 8292): the provider from its settings. Opens nothing by itself."""

from collections.abc import Mapping

from alerting.channels.base import ChannelProvider
from alerting.channels.providers.webpush_channel import WebPush
from alerting.channels.providers.webpush_settings import WebPushSettings
from devices.model import Channel

__all__ = ["WebPush", "build"]


def build(settings: WebPushSettings) -> Mapping[Channel, ChannelProvider]:
    """One provider: pages in the app."""
    return {Channel.APP: WebPush(settings)}
