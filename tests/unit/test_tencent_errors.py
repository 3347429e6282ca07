"""Every code of Tencent's own lists gets an answer; what each family means; no code of ours that is not in them."""

import pytest
from tencentcloud.sms.v20210111 import errorcodes as sms_codes
from tencentcloud.vms.v20200902 import errorcodes as voice_codes

from alerting.channels.base import Busy, Rejected, Scope, Unknown
from alerting.channels.providers.tencent_errors import REFUSED, SPENT, answer_to

common = {"AuthFailure.SignatureExpire"}
published = {
    value
    for module in (sms_codes, voice_codes)
    for name, value in vars(module).items()
    if name.isupper() and isinstance(value, str)
}


def test_our_table_holds_no_code_that_tencent_does_not_publish() -> None:
    assert len(published) > 100
    assert not (set(REFUSED) | set(SPENT)) - published - common


@pytest.mark.parametrize("code", sorted(published))
def test_every_published_code_is_answered(code: str) -> None:
    answer = answer_to(code)
    if isinstance(answer, Rejected):
        assert answer.code == code
        assert answer.reason.isascii()
        assert answer.scope is not Scope.SESSION
    if code.startswith("LimitExceeded.PhoneNumber") and not code.endswith("CountLimit"):
        assert isinstance(answer, Busy)
        assert answer.number_limit


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("LimitExceeded.PhoneNumberThirtySecondLimit", Busy(30.0, number_limit=True)),
        ("LimitExceeded.PhoneNumberOneHourLimit", Busy(3_600.0, number_limit=True)),
        ("LimitExceeded.PhoneNumberDailyLimit", Busy(86_400.0, number_limit=True)),
        ("LimitExceeded.DeliveryFrequencyLimit", Busy(30.0, number_limit=True)),
        ("RequestLimitExceeded", Busy(0.4)),
        ("RequestLimitExceeded.IPLimitExceeded", Busy(0.4)),
        ("InternalError", Unknown("provider_error")),
        ("InternalError.Timeout", Unknown("provider_error")),
        ("FailedOperation.AccessUpstreamTimeout", Unknown("provider_error")),
    ],
)
def test_not_now_and_nobody_knows(code: str, answer: object) -> None:
    assert answer_to(code) == answer


@pytest.mark.parametrize(
    ("code", "scope", "reason"),
    [
        ("InvalidParameterValue.IncorrectPhoneNumber", Scope.NUMBER, "number_invalid"),
        ("FailedOperation.PhoneNumberInBlacklist", Scope.NUMBER, "opted_out"),
        ("FailedOperation.TemplateParamSetNotMatchApprovedTemplate", Scope.TEXT, "template_variables"),
        ("InvalidParameterValue.TemplateParameterLengthLimit", Scope.TEXT, "variable_too_long"),
        ("FailedOperation.InsufficientBalanceInVoicePackage", Scope.ACCOUNT, "balance"),
        ("AuthFailure.TokenFailure", Scope.ACCOUNT, "credentials"),
        ("AuthFailure.SignatureExpire", Scope.ACCOUNT, "clock"),
        ("UnauthorizedOperation.CamNoAuth", Scope.ACCOUNT, "permission"),
        ("InternalError.SigVerificationFail", Scope.ACCOUNT, "credentials"),
        ("IpNotInWhitelist", Scope.ACCOUNT, "address_not_allowed"),
        ("LimitExceeded.AppDailyLimit", Scope.ACCOUNT, "account_limit"),
        ("Invented.ByNobody", Scope.ACCOUNT, "refused"),
        ("", Scope.ACCOUNT, "refused"),
    ],
)
def test_who_is_at_fault(code: str, scope: Scope, reason: str) -> None:
    assert answer_to(code) == Rejected(reason, scope, code)
