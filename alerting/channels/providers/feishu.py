"""Feishu (飞书) and Lark as a vendor: builds its app channel. Never opens a connection."""

from collections.abc import Mapping

from alerting.channels.base import Callbacks, ChannelProvider
from alerting.channels.providers.feishu_account import FeishuAccount
from alerting.channels.providers.feishu_app import FeishuApp
from alerting.channels.providers.feishu_callbacks import FeishuCallbacks
from alerting.channels.providers.feishu_settings import FeishuSettings
from devices.model import Channel


def build(settings: FeishuSettings) -> Mapping[Channel, ChannelProvider]:
    """One bot, one channel."""
    return {Channel.APP: FeishuApp(FeishuAccount(settings))}


def callbacks(settings: FeishuSettings) -> Callbacks:
    return FeishuCallbacks(settings)
