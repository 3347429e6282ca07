"""Tencent Cloud's error codes as the answers of the channel contract. Never repeats Tencent's own words: they quote
numbers. Source: the error codes of SMS 2021-01-11 and VMS 2020-09-02, and "Common error codes"."""

from collections.abc import Mapping

from alerting.channels.base import Busy, Rejected, Scope, Unknown
from alerting.channels.http import busy_retry_s

code_fine = "Ok"
_half_minute, _hour, _day = 30.0, 3_600.0, 86_400.0

REFUSED: Mapping[str, tuple[str, Scope]] = {
    "InvalidParameterValue.IncorrectPhoneNumber": ("number_invalid", Scope.NUMBER),
    "InvalidParameterValue.CalledNumberVerifyFail": ("number_invalid", Scope.NUMBER),
    "FailedOperation.PhoneNumberParseFail": ("number_invalid", Scope.NUMBER),
    "FailedOperation.PhoneNumberInBlacklist": ("opted_out", Scope.NUMBER),
    "UnsupportedOperation.UnsupportedRegion": ("number_no_route", Scope.NUMBER),
    "UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone": ("number_no_route", Scope.NUMBER),
    "UnsupportedOperation.GlobalTemplateToChineseMainlandPhone": ("number_no_route", Scope.NUMBER),
    "FailedOperation.ContainSensitiveWord": ("text_blocked", Scope.TEXT),
    "InvalidParameter.DirtyWordFound": ("text_blocked", Scope.TEXT),
    "FailedOperation.TemplateIncorrectOrUnapproved": ("template", Scope.TEXT),
    "FailedOperation.TemplateUnapprovedOrNotExist": ("template", Scope.TEXT),
    "FailedOperation.TemplateIdNotExist": ("template", Scope.TEXT),
    "FailedOperation.MissingTemplateList": ("template", Scope.TEXT),
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": ("template_variables", Scope.TEXT),
    "InvalidParameterValue.TemplateParameterFormatError": ("template_variables", Scope.TEXT),
    "InvalidParameterValue.TemplateParameterLengthLimit": ("variable_too_long", Scope.TEXT),
    "InvalidParameterValue.ContentLengthLimit": ("text_too_long", Scope.TEXT),
    "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter": ("link_in_text", Scope.TEXT),
    "FailedOperation.SignatureIncorrectOrUnapproved": ("sender", Scope.ACCOUNT),
    "FailedOperation.MissingSignatureList": ("sender", Scope.ACCOUNT),
    "FailedOperation.SignIdNotExist": ("sender", Scope.ACCOUNT),
    "FailedOperation.PhonenumberUnappliedOrExpired": ("sender", Scope.ACCOUNT),
    "FailedOperation.InsufficientBalanceInSmsPackage": ("balance", Scope.ACCOUNT),
    "FailedOperation.InsufficientBalanceInVoicePackage": ("balance", Scope.ACCOUNT),
    "UnauthorizedOperation.ServiceSuspendDueToArrears": ("balance", Scope.ACCOUNT),
    "UnauthorizedOperation.RequestIpNotInWhitelist": ("address_not_allowed", Scope.ACCOUNT),
    "UnauthorizedOperation.RequestPermissionDeny": ("permission", Scope.ACCOUNT),
    "UnauthorizedOperation.SdkAppIdIsDisabled": ("account_suspended", Scope.ACCOUNT),
    "UnauthorizedOperation.SdkAppidIsDisabled": ("account_suspended", Scope.ACCOUNT),
    "UnauthorizedOperation.SmsSdkAppIdVerifyFail": ("app_id", Scope.ACCOUNT),
    "UnauthorizedOperation.VoiceSdkAppidVerifyFail": ("app_id", Scope.ACCOUNT),
    "InvalidParameterValue.SdkAppIdNotExist": ("app_id", Scope.ACCOUNT),
    "InvalidParameterValue.SdkAppidNotExist": ("app_id", Scope.ACCOUNT),
    "InvalidParameter.AppidAndBizId": ("app_id", Scope.ACCOUNT),
    "InternalError.SigVerificationFail": ("credentials", Scope.ACCOUNT),
    "InternalError.SigFieldMissing": ("credentials", Scope.ACCOUNT),
    "InternalError.RequestTimeException": ("clock", Scope.ACCOUNT),
    "InternalError.RestApiInterfaceNotExist": ("interface", Scope.ACCOUNT),
    "AuthFailure.SignatureExpire": ("clock", Scope.ACCOUNT),
    "LimitExceeded.AppDailyLimit": ("account_limit", Scope.ACCOUNT),
    "LimitExceeded.AppMainlandChinaDailyLimit": ("account_limit", Scope.ACCOUNT),
    "LimitExceeded.AppGlobalDailyLimit": ("account_limit", Scope.ACCOUNT),
    "LimitExceeded.DailyLimit": ("account_limit", Scope.ACCOUNT),
}
SPENT: Mapping[str, float] = {
    "LimitExceeded.PhoneNumberThirtySecondLimit": _half_minute,
    "LimitExceeded.DeliveryFrequencyLimit": _half_minute,
    "LimitExceeded.PhoneNumberOneHourLimit": _hour,
    "LimitExceeded.PhoneNumberDailyLimit": _day,
    "LimitExceeded.PhoneNumberSameContentDailyLimit": _day,
}
"""One number's window is spent; after how many seconds it has room again at the latest."""
_unsettled = frozenset({"FailedOperation.AccessUpstreamTimeout"})
"""Tencent itself does not know whether it went out."""
_one_spelling = (
    ("AuthFailure", "credentials"),
    ("UnauthorizedOperation", "permission"),
    ("IpNotInWhitelist", "address_not_allowed"),
    ("IpInBlacklist", "address_not_allowed"),
)


def answer_to(code: str) -> Rejected | Busy | Unknown:
    """What an error code means.

    A code that is not in the table is laid on the account: were it laid on the number, a fault of our own set-up would
    mark one worker after the other unreachable; laid on the account, a person is told and the carrier is changed.
    """
    known = REFUSED.get(code)
    if known is not None:
        return Rejected(known[0], known[1], code)
    if code in SPENT:
        return Busy(SPENT[code], number_limit=True)
    if code.startswith("RequestLimitExceeded") or code == "LimitExceeded.GlobalSmsSendingRateLimit":
        return Busy(busy_retry_s)
    if code.startswith("InternalError") or code in _unsettled:
        return Unknown("provider_error")
    for family, reason in _one_spelling:
        if code.startswith(family):
            return Rejected(reason, Scope.ACCOUNT, code)
    return Rejected("refused", Scope.ACCOUNT, code)
