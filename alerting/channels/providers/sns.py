"""Amazon SNS as a vendor: texts only. Never opens a connection."""

from collections.abc import Mapping

from alerting.channels.base import ChannelProvider
from alerting.channels.providers.sns_client import SnsAccount
from alerting.channels.providers.sns_settings import SnsSettings
from alerting.channels.providers.sns_sms import SnsSms
from devices.model import Channel


def build(settings: SnsSettings) -> Mapping[Channel, ChannelProvider]:
    """The one channel. Close it."""
    return {Channel.SMS: SnsSms(SnsAccount(settings))}
