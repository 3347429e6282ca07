"""Amazon's error codes as the answers of the channel contract. Never repeats Amazon's own words: they quote numbers.

Source: AWS, "Amazon SNS API Reference: Publish, Errors" and "Common Errors".
"""

from collections.abc import Mapping

from alerting.channels.base import Busy, Rejected, Scope, Unknown
from alerting.channels.http import busy_retry_s

_throttled = frozenset({"Throttling", "ThrottlingException", "Throttled", "KMSThrottling", "RequestLimitExceeded"})
_unsettled = frozenset({"InternalError", "InternalFailure", "ServiceUnavailable", "RequestTimeout"})
_bad_parameter = frozenset({"InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "ValidationError"})
_credentials = (
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "UnrecognizedClientException",
    "InvalidSecurity",
    "OptInRequired",
)
_refused: Mapping[str, tuple[str, Scope]] = {
    "OptedOut": ("opted_out", Scope.NUMBER),
    "AuthorizationError": ("permission", Scope.ACCOUNT),
    "AccessDenied": ("permission", Scope.ACCOUNT),
    "RequestExpired": ("clock", Scope.ACCOUNT),
} | dict.fromkeys(_credentials, ("credentials", Scope.ACCOUNT))


def answer_to(code: str, message: str) -> Rejected | Busy | Unknown:
    """What an error code means. One code covers every bad parameter: which one it was stands in the message alone.

    A code that is not in the table is laid on the account: were it laid on the number, a fault of our own set-up would
    mark one worker after the other unreachable.
    """
    if code in _throttled:
        return Busy(busy_retry_s)
    if code in _unsettled:
        return Unknown("provider_error")
    if code in _bad_parameter:
        return _parameter(code, message.lower())
    reason, scope = _refused.get(code, ("refused", Scope.ACCOUNT))
    return Rejected(reason, scope, code)


def _parameter(code: str, message: str) -> Rejected:
    if "opted out" in message:
        return Rejected("opted_out", Scope.NUMBER, code)
    if "phonenumber" in message or "phone number" in message:
        return Rejected("number_invalid", Scope.NUMBER, code)
    if "too long" in message:
        return Rejected("text_too_long", Scope.TEXT, code)
    if "empty message" in message:
        return Rejected("text_missing", Scope.TEXT, code)
    return Rejected("refused", Scope.ACCOUNT, code)
