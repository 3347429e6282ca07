"""WeCom (企业微信) as a vendor: builds its app channel. Never opens a connection."""

from collections.abc import Mapping

from alerting.channels.base import Callbacks, ChannelProvider
from alerting.channels.providers.wecom_app import WecomApp
from alerting.channels.providers.wecom_callbacks import WecomCallbacks
from alerting.channels.providers.wecom_errors import STALE_TOKEN, answer_to
from alerting.channels.providers.wecom_settings import WecomSettings
from alerting.channels.work_apps import Call, Carried, Dialect, WorkApp, numbered
from devices.model import Channel


def build(settings: WecomSettings) -> Mapping[Channel, ChannelProvider]:
    """One app, one channel."""
    dialect = Dialect(
        root=f"{settings.base_url}/cgi-bin/",
        token=Call("GET", "gettoken", {"corpid": settings.corp_id, "corpsecret": settings.secret}),
        token_names=("access_token", "expires_in"),
        stale=frozenset(map(str, STALE_TOKEN)),
        carried=lambda token: Carried(query={"access_token": token}),
        says=numbered("errcode", answer_to),
    )
    return {Channel.APP: WecomApp(settings, WorkApp(dialect))}


def callbacks(settings: WecomSettings) -> Callbacks:
    return WecomCallbacks(settings)
