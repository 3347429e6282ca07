"""WeCom's error codes as answers of the channel contract."""

import pytest

from alerting.channels.base import Busy, Rejected, Scope, Unknown
from alerting.channels.providers.wecom_errors import answer_to

cases = {
    40001: Rejected("credentials", Scope.ACCOUNT, "40001"),
    40013: Rejected("corp_id", Scope.ACCOUNT, "40013"),
    40014: Rejected("access_token", Scope.ACCOUNT, "40014"),
    42001: Rejected("access_token", Scope.ACCOUNT, "42001"),
    40056: Rejected("agent", Scope.ACCOUNT, "40056"),
    60020: Rejected("trusted_ip", Scope.ACCOUNT, "60020"),
    48002: Rejected("app_permission", Scope.ACCOUNT, "48002"),
    60111: Rejected("user_unknown", Scope.NUMBER, "60111"),
    81013: Rejected("user_unknown", Scope.NUMBER, "81013"),
    45002: Rejected("text_too_long", Scope.TEXT, "45002"),
    40058: Rejected("text_malformed", Scope.TEXT, "40058"),
    45009: Busy(60.0),
    45033: Busy(1.0),
    -1: Unknown("system_busy"),
    123456: Rejected("refused_123456", Scope.ACCOUNT, "123456"),
}


@pytest.mark.parametrize("errcode", cases)
def test_each_code_has_one_meaning(errcode: int) -> None:
    assert answer_to(errcode) == cases[errcode]
