"""Feishu's `code` as the answers of the channel contract; it stands in the body whatever the status is.

Never repeats Feishu's own sentences: they quote ids. Source: Feishu open platform, "通用错误码", "发送消息".
"""

from collections.abc import Mapping

from alerting.channels.base import Busy, Rejected, Scope, Unknown

STALE_TOKEN = frozenset({"99991661", "99991663", "99991671"})
TRUSTED_IP = "99991401"

_refused: Mapping[int, tuple[str, Scope]] = {
    99991661: ("access_token", Scope.ACCOUNT),
    99991663: ("access_token", Scope.ACCOUNT),
    99991671: ("access_token", Scope.ACCOUNT),
    10003: ("credentials", Scope.ACCOUNT),
    10014: ("credentials", Scope.ACCOUNT),
    10013: ("credentials", Scope.ACCOUNT),
    99991672: ("app_permission", Scope.ACCOUNT),
    99991662: ("app_disabled", Scope.ACCOUNT),
    99991401: ("trusted_ip", Scope.ACCOUNT),
    230006: ("bot_disabled", Scope.ACCOUNT),
    230027: ("app_permission", Scope.ACCOUNT),
    230013: ("user_not_in_scope", Scope.NUMBER),
    230029: ("user_left", Scope.NUMBER),
    230034: ("user_unknown", Scope.NUMBER),
    230053: ("user_blocks_us", Scope.NUMBER),
    99992351: ("user_unknown", Scope.NUMBER),
    99992361: ("user_unknown", Scope.NUMBER),
    230001: ("text_malformed", Scope.TEXT),
    230022: ("text_blocked", Scope.TEXT),
    230025: ("text_too_long", Scope.TEXT),
    230028: ("text_blocked", Scope.TEXT),
    230099: ("text_malformed", Scope.TEXT),
}
_busy: Mapping[int, Busy] = {
    99991400: Busy(1.0),
    11232: Busy(1.0),
    11233: Busy(1.0, number_limit=True),
    230020: Busy(1.0, number_limit=True),
}
_nobody_knows: Mapping[int, str] = {
    230049: "being_sent",  # the same message, not finished yet
    5000: "internal_error",
    55001: "internal_error",
    1500: "internal_error",
}


def answer_to(code: int) -> Rejected | Busy | Unknown:
    """What a `code` other than 0 means. One that is not in the table is laid on the account, never on a person."""
    if code in _nobody_knows:
        return Unknown(_nobody_knows[code])
    if code in _busy:
        return _busy[code]
    reason, scope = _refused.get(code, (f"refused_{code}", Scope.ACCOUNT))
    return Rejected(reason, scope, str(code))
