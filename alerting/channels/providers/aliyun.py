"""Alibaba Cloud as a vendor: builds its SMS and voice providers over one shared client. Never opens a connection."""

from collections.abc import Mapping

from alerting.channels.base import Callbacks, ChannelProvider
from alerting.channels.providers.aliyun_callbacks import AliyunCallbacks
from alerting.channels.providers.aliyun_client import AliyunAccount
from alerting.channels.providers.aliyun_settings import AliyunSettings
from alerting.channels.providers.aliyun_sms import AliyunSms
from alerting.channels.providers.aliyun_voice import AliyunVoice
from devices.model import Channel


def build(settings: AliyunSettings) -> Mapping[Channel, ChannelProvider]:
    """The channels for which templates are registered. Close every one of them."""
    account = AliyunAccount(settings)
    providers: dict[Channel, ChannelProvider] = {}
    if settings.sms_templates:
        providers[Channel.SMS] = AliyunSms(account)
    if settings.voice_templates:
        providers[Channel.VOICE] = AliyunVoice(account)
    return providers


def callbacks(settings: AliyunSettings) -> Callbacks:
    """How its callbacks are read."""
    return AliyunCallbacks(settings)
