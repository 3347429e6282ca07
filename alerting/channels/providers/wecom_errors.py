"""WeCom's `errcode` as the answers of the channel contract: its refusals come inside an HTTP 200. Never repeats WeCom's
own words: they quote addresses and ids. Source: WeCom developer centre, "全局错误码"."""

from collections.abc import Mapping

from alerting.channels.base import Busy, Rejected, Scope, Unknown

STALE_TOKEN = frozenset({40014, 41001, 42001})
"""The access token is wrong, missing or has ended: refused before anything was looked at."""

TRUSTED_IP = 60020

_refused: Mapping[int, tuple[str, Scope]] = {
    40001: ("credentials", Scope.ACCOUNT),
    40013: ("corp_id", Scope.ACCOUNT),
    40014: ("access_token", Scope.ACCOUNT),
    41001: ("access_token", Scope.ACCOUNT),
    42001: ("access_token", Scope.ACCOUNT),
    41002: ("corp_id", Scope.ACCOUNT),
    41004: ("credentials", Scope.ACCOUNT),
    40056: ("agent", Scope.ACCOUNT),
    41011: ("agent", Scope.ACCOUNT),
    48001: ("app_permission", Scope.ACCOUNT),
    48002: ("app_permission", Scope.ACCOUNT),
    60011: ("app_permission", Scope.ACCOUNT),
    301002: ("app_permission", Scope.ACCOUNT),
    TRUSTED_IP: ("trusted_ip", Scope.ACCOUNT),
    40003: ("user_unknown", Scope.NUMBER),
    40031: ("user_unknown", Scope.NUMBER),
    46004: ("user_unknown", Scope.NUMBER),
    60111: ("user_unknown", Scope.NUMBER),
    81013: ("user_unknown", Scope.NUMBER),
    82001: ("user_unknown", Scope.NUMBER),
    40008: ("text_kind", Scope.TEXT),
    40035: ("text_malformed", Scope.TEXT),
    40058: ("text_malformed", Scope.TEXT),
    47001: ("text_malformed", Scope.TEXT),
    44004: ("text_missing", Scope.TEXT),
    45002: ("text_too_long", Scope.TEXT),
    45003: ("text_too_long", Scope.TEXT),
    45004: ("text_too_long", Scope.TEXT),
}
_busy: Mapping[int, float] = {
    45009: 60.0,  # too many calls of this kind in a minute, an hour or a day
    45033: 1.0,  # too many at the same time
}
_nobody_knows = frozenset({-1})
"""`System busy`, which does not say whether the message was taken."""


def answer_to(errcode: int) -> Rejected | Busy | Unknown:
    """What an `errcode` other than 0 means. One that is not in the table is laid on the account: a person is told and
    the traffic moves, where laid on the number it would mark one worker after the other unreachable."""
    if errcode in _nobody_knows:
        return Unknown("system_busy")
    if errcode in _busy:
        return Busy(_busy[errcode])
    reason, scope = _refused.get(errcode, (f"refused_{errcode}", Scope.ACCOUNT))
    return Rejected(reason, scope, str(errcode))
