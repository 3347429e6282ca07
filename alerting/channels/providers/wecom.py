"""WeCom (企业微信) as a vendor: builds its app channel. Never opens a connection."""

from collections.abc import Mapping

from alerting.channels.base import Callbacks, ChannelProvider
from alerting.channels.providers.wecom_account import WecomAccount
from alerting.channels.providers.wecom_app import WecomApp
from alerting.channels.providers.wecom_callbacks import WecomCallbacks
from alerting.channels.providers.wecom_settings import WecomSettings
from devices.model import Channel


def build(settings: WecomSettings) -> Mapping[Channel, ChannelProvider]:
    """One app, one channel."""
    return {Channel.APP: WecomApp(WecomAccount(settings))}


def callbacks(settings: WecomSettings) -> Callbacks:
    return WecomCallbacks(settings)
