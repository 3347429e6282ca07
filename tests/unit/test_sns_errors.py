"""Amazon's codes: who is at fault; the one code for every bad parameter is told apart by its message."""

import pytest

from alerting.channels.base import Busy, Rejected, Scope, Unknown
from alerting.channels.providers.sns_errors import answer_to


@pytest.mark.parametrize(
    ("code", "message", "answer"),
    [
        ("Throttling", "Rate exceeded", Busy(0.4)),
        ("KMSThrottling", "", Busy(0.4)),
        ("InternalError", "", Unknown("provider_error")),
        ("ServiceUnavailable", "", Unknown("provider_error")),
        ("OptedOut", "", Rejected("opted_out", Scope.NUMBER, "OptedOut")),
        ("AuthorizationError", "", Rejected("permission", Scope.ACCOUNT, "AuthorizationError")),
        ("SignatureDoesNotMatch", "", Rejected("credentials", Scope.ACCOUNT, "SignatureDoesNotMatch")),
        ("RequestExpired", "", Rejected("clock", Scope.ACCOUNT, "RequestExpired")),
        ("KMSAccessDenied", "", Rejected("refused", Scope.ACCOUNT, "KMSAccessDenied")),
        ("UserError", "Phone number is not verified", Rejected("refused", Scope.ACCOUNT, "UserError")),
    ],
)
def test_who_is_at_fault(code: str, message: str, answer: object) -> None:
    assert answer_to(code, message) == answer


@pytest.mark.parametrize(
    ("message", "reason", "scope"),
    [
        ("Invalid parameter: PhoneNumber Reason: +0 is not valid to publish to", "number_invalid", Scope.NUMBER),
        ("Invalid parameter: PhoneNumber Reason: +15550100 is opted out", "opted_out", Scope.NUMBER),
        ("Invalid parameter: Message too long", "text_too_long", Scope.TEXT),
        ("Invalid parameter: Empty message", "text_missing", Scope.TEXT),
        ("Invalid parameter: SenderID", "refused", Scope.ACCOUNT),
        ("", "refused", Scope.ACCOUNT),
    ],
)
def test_which_parameter_was_bad(message: str, reason: str, scope: Scope) -> None:
    for code in ("InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "ValidationError"):
        assert answer_to(code, message) == Rejected(reason, scope, code)
