"""DingTalk (钉钉) as a vendor: builds its app channel. Never opens a connection."""

from collections.abc import Mapping

from alerting.channels.base import ChannelProvider
from alerting.channels.providers.dingtalk_account import DingtalkAccount
from alerting.channels.providers.dingtalk_app import DingtalkApp
from alerting.channels.providers.dingtalk_settings import DingtalkSettings
from devices.model import Channel


def build(settings: DingtalkSettings) -> Mapping[Channel, ChannelProvider]:
    """One robot, one channel."""
    return {Channel.APP: DingtalkApp(DingtalkAccount(settings))}
