"""Alibaba's error codes as answers of the contract; every code of the table, and codes that nobody knows."""

import pytest

from alerting.channels.base import Busy, Rejected, Scope, Unknown
from alerting.channels.http import Answer, busy_retry_s
from alerting.channels.providers.aliyun_client import read
from alerting.channels.providers.aliyun_errors import answer_to

scopes = {
    Scope.NUMBER: ["isv.MOBILE_NUMBER_ILLEGAL", "isv.COMPLAINT_REJECT", "ComplaintReject"],
    Scope.TEXT: [
        "isv.SMS_TEMPLATE_ILLEGAL",
        "isv.TTS_TEMPLATE_ILLEGAL",
        "isv.TEMPLATE_ILLEGAL",
        "isv.VOICE_FILE_ILLEGAL",
        "isv.DOMESTIC_NUMBER_NOT_SUPPORTED",
        "isv.TEMPLATE_MISSING_PARAMETERS",
        "isv.TEMPLATE_PARAMS_ILLEGAL",
        "isv.INVALID_JSON_PARAM",
        "isv.PARAM_LENGTH_LIMIT",
        "isv.PARAM_NOT_SUPPORT_URL",
        "isv.INVALID_PARAMETERS",
        "InvalidParameters",
        "isv.BLACK_KEY_CONTROL_LIMIT",
        "isv.SMS_CONTENT_ILLEGAL",
    ],
    Scope.ACCOUNT: [
        "isp.RAM_PERMISSION_DENY",
        "Forbidden.RAM",
        "isv.OUT_OF_SERVICE",
        "isv.AMOUNT_NOT_ENOUGH",
        "isv.AMOUNT_NOT_ENOUG",
        "isv.PRODUCT_UN_SUBSCRIPT",
        "isv.PRODUCT_UNSUBSCRIBE",
        "isv.ACCOUNT_NOT_EXISTS",
        "isv.ACCOUNT_ABNORMAL",
        "isv.SMS_SIGNATURE_ILLEGAL",
        "isv.SMS_SIGN_ILLEGAL",
        "isv.SIGN_STATE_ILLEGAL",
        "isv.SMS_SIGNATURE_SCENE_ILLEGAL",
        "isv.EXTEND_CODE_ERROR",
        "isv.DENY_IP_RANGE",
        "isv.DAY_LIMIT_CONTROL",
        "isv.MONTH_LIMIT_CONTROL",
        "isv.DISPLAY_NUMBER_ILLEGAL",
        "isv.BILLID_NOT_EXIST",
        "isv.VOICE_ROBOT_NOT_PERIOD",
        "isv.VOICE_CALL_PERIOD_ERROR",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "InvalidAccessKeyId.NotFound",
        "InvalidAccessKeyId.Inactive",
        "InvalidTimeStamp.Expired",
        "InvalidAction.NotFound",
        "isv.SOMETHING_NEW",
    ],
}


@pytest.mark.parametrize(("code", "scope"), [(code, scope) for scope, codes in scopes.items() for code in codes])
def test_refusals_and_what_is_at_fault(code: str, scope: Scope) -> None:
    answer = answer_to(code)
    assert isinstance(answer, Rejected)
    assert (answer.scope, answer.code) == (scope, code)


def test_a_code_that_nobody_knows_names_itself_and_never_its_message() -> None:
    assert answer_to("isv.SOMETHING_NEW", "13800001234") == Rejected(
        "refused_isv.SOMETHING_NEW", Scope.ACCOUNT, "isv.SOMETHING_NEW"
    )
    assert answer_to("13800001234 <b>") == Rejected("refused_unreadable", Scope.ACCOUNT, "unreadable")


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("触发分钟级流控Permits:1", 60.0),
        ("触发小时级流控Permits:5", 3_600.0),
        ("触发天级流控Permits:20", 86_400.0),
        ("Exceeded the day limit", 86_400.0),
        ("", 60.0),
    ],
)
def test_a_numbers_limit_says_how_long(message: str, seconds: float) -> None:
    assert answer_to("isv.BUSINESS_LIMIT_CONTROL", message) == Busy(seconds, number_limit=True)


def test_throttling_is_busy_and_says_nothing_about_the_number() -> None:
    for code in ("Throttling", "Throttling.User", "Throttling.Api"):
        assert answer_to(code) == Busy(busy_retry_s)
    assert answer_to("isv.VOICE_CALL_FAIL") == Busy(60.0)


def test_what_is_alibabas_own_fault_leaves_us_not_knowing() -> None:
    for code in ("isp.SYSTEM_ERROR", "isp.GATEWAY_ERROR", "isp.UNKNOWN", "InternalError", "SignatureNonceUsed"):
        assert answer_to(code) == Unknown(code)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"7", b"null", b'{"code":"OK"}', b'{"Code":200}', b'{"Code":', b"[" * 100_000]
)
def test_what_is_no_answer_is_unknown(body: bytes) -> None:
    assert read(Answer(200, body)) == Unknown("unreadable_answer")


def test_the_code_decides_and_not_the_status() -> None:
    assert isinstance(read(Answer(200, b'{"Code":"isv.MOBILE_NUMBER_ILLEGAL"}')), Rejected)
    assert isinstance(read(Answer(400, b'{"Code":"isv.MOBILE_NUMBER_ILLEGAL","Message":7}')), Rejected)
    assert read(Answer(200, b'{"Code":"OK","BizId":"1"}')) == {"Code": "OK", "BizId": "1"}
    assert read(Answer(404, b'{"Code":"OK"}')) == Unknown("unreadable_answer")
