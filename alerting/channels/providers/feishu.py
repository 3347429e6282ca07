"""Feishu (飞书) and Lark as a vendor: builds its app channel. Never opens a connection."""

from collections.abc import Mapping

from alerting.channels.base import Callbacks, ChannelProvider
from alerting.channels.providers.feishu_app import FeishuApp
from alerting.channels.providers.feishu_callbacks import FeishuCallbacks
from alerting.channels.providers.feishu_errors import STALE_TOKEN, answer_to
from alerting.channels.providers.feishu_settings import FeishuSettings
from alerting.channels.work_apps import Call, Carried, Dialect, WorkApp, numbered
from devices.model import Channel


def build(settings: FeishuSettings) -> Mapping[Channel, ChannelProvider]:
    """One bot, one channel."""
    asked = {"app_id": settings.app_id, "app_secret": settings.app_secret}
    dialect = Dialect(
        root=f"{settings.base_url}/open-apis/",
        token=Call("POST", "auth/v3/tenant_access_token/internal", body=asked),
        token_names=("tenant_access_token", "expire"),
        stale=STALE_TOKEN,
        carried=lambda token: Carried(headers={"Authorization": f"Bearer {token}"}),
        says=numbered("code", answer_to),
    )
    return {Channel.APP: FeishuApp(settings, WorkApp(dialect))}


def callbacks(settings: FeishuSettings) -> Callbacks:
    return FeishuCallbacks(settings)
