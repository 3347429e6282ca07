"""DingTalk (钉钉) as a vendor: builds its app channel. Never opens a connection."""

from collections.abc import Mapping

from alerting.channels.base import ChannelProvider, Rejected, Scope
from alerting.channels.providers.dingtalk_app import DingtalkApp
from alerting.channels.providers.dingtalk_errors import STALE_TOKEN, answer_to
from alerting.channels.providers.dingtalk_settings import DingtalkSettings
from alerting.channels.tokens import Failed, Told
from alerting.channels.work_apps import Call, Carried, Dialect, WorkApp
from devices.model import Channel


def build(settings: DingtalkSettings) -> Mapping[Channel, ChannelProvider]:
    """One robot, one channel."""
    dialect = Dialect(
        root=f"{settings.base_url}/v1.0/",
        token=Call("POST", "oauth2/accessToken", body={"appKey": settings.app_key, "appSecret": settings.app_secret}),
        token_names=("accessToken", "expireIn"),
        stale=STALE_TOKEN,
        carried=lambda token: Carried(headers={"x-acs-dingtalk-access-token": token}),
        says=_says,
        media_type="application/json",
    )
    return {Channel.APP: DingtalkApp(settings, WorkApp(dialect))}


def _says(told: Told, status: int) -> Told | Failed:
    """A refusal has a `code`, or an `errcode` other than 0, whatever the status says."""
    code = told.get("code") or told.get("errcode")
    if code not in (None, 0, "0", ""):
        return answer_to(str(code))
    return told if status == 200 else Rejected(f"http_{status}", Scope.ACCOUNT)
