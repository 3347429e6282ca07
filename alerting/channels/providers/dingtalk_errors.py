"""DingTalk's error codes as the answers of the channel contract. They are words; older machines of it say `errcode`.

Never repeats DingTalk's own sentences: they quote ids. Source: DingTalk open platform, "服务端 API 错误码".
"""

from collections.abc import Mapping

from alerting.channels.base import Busy, Rejected, Scope, Unknown

STALE_TOKEN = frozenset({"InvalidAuthentication", "40014", "42001"})
TRUSTED_IP = "Forbidden.AccessDenied.IpNotInWhiteList"
busy_s = 1.0
throttled_s = 60.0

_refused: Mapping[str, tuple[str, Scope]] = {
    "InvalidAuthentication": ("access_token", Scope.ACCOUNT),
    "40014": ("access_token", Scope.ACCOUNT),
    "42001": ("access_token", Scope.ACCOUNT),
    "invalidClientIdOrSecret": ("credentials", Scope.ACCOUNT),
    "40089": ("credentials", Scope.ACCOUNT),
    "Forbidden.AccessDenied.AccessTokenPermissionDenied": ("app_permission", Scope.ACCOUNT),
    "88": ("app_permission", Scope.ACCOUNT),
    TRUSTED_IP: ("trusted_ip", Scope.ACCOUNT),
    "60020": ("trusted_ip", Scope.ACCOUNT),
    "robotCode.notExsited": ("robot", Scope.ACCOUNT),
    "invalidParameter.robotCode.empty": ("robot", Scope.ACCOUNT),
    "staffId.notExisted": ("user_unknown", Scope.NUMBER),
    "invalidParameter.userIds.empty": ("user_unknown", Scope.NUMBER),
    "invalidParameter.msgKey.invalid": ("text_kind", Scope.TEXT),
    "invalidParameter.msgParam.invalid": ("text_malformed", Scope.TEXT),
    "msgParam.invalid": ("text_malformed", Scope.TEXT),
}
_busy: Mapping[str, float] = {
    "Forbidden.AccessDenied.QpsLimitForApi": busy_s,
    "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi": busy_s,
    "90002": busy_s,
    "90018": busy_s,
}
_nobody_knows = frozenset({"-1", "ServiceUnavailable", "systemError", "unknownError"})


def answer_to(code: str) -> Rejected | Busy | Unknown:
    """What an error code means. One that is not in the table is laid on the account, never on a person."""
    if code in _nobody_knows:
        return Unknown("system_busy")
    if code in _busy:
        return Busy(_busy[code])
    reason, scope = _refused.get(code, (f"refused_{code[:40]}", Scope.ACCOUNT))
    return Rejected(reason, scope, code)
