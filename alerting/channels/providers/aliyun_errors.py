"""Alibaba Cloud's error codes as the answers of the channel contract. Never repeats Alibaba's own words: they may quote
what was sent. Sources: its SMS, voice and gateway error code lists (`isv.`: ours to mend, `isp.`: its own)."""

import re
from collections.abc import Mapping

from alerting.channels.base import Busy, Rejected, Scope, Unknown
from alerting.channels.http import busy_retry_s

code_fine = "OK"
code_number_limit = "isv.BUSINESS_LIMIT_CONTROL"
call_failed_retry_s = 60.0
"""Voice takes one call a minute to a number, a failed one counts, and two within a second block each other."""
_limit_words = (("天", 86_400.0), ("day", 86_400.0), ("小时", 3_600.0), ("hour", 3_600.0))
_limit_least_s = 60.0
_code = re.compile(r"[A-Za-z0-9_.-]{1,64}")

_number, _text, _account = Scope.NUMBER, Scope.TEXT, Scope.ACCOUNT
_refused: Mapping[str, tuple[str, Scope]] = {
    "isv.MOBILE_NUMBER_ILLEGAL": ("number_invalid", _number),
    "isv.COMPLAINT_REJECT": ("number_barred", _number),
    "ComplaintReject": ("number_barred", _number),
    "isv.SMS_TEMPLATE_ILLEGAL": ("template", _text),
    "isv.TTS_TEMPLATE_ILLEGAL": ("template", _text),
    "isv.TEMPLATE_ILLEGAL": ("template", _text),
    "isv.VOICE_FILE_ILLEGAL": ("template", _text),
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED": ("template_kind", _text),
    "isv.TEMPLATE_MISSING_PARAMETERS": ("template_variables", _text),
    "isv.TEMPLATE_PARAMS_ILLEGAL": ("template_variables", _text),
    "isv.INVALID_JSON_PARAM": ("template_variables", _text),
    "isv.PARAM_LENGTH_LIMIT": ("template_variables", _text),
    "isv.PARAM_NOT_SUPPORT_URL": ("template_variables", _text),
    "isv.INVALID_PARAMETERS": ("parameters", _text),
    "InvalidParameters": ("parameters", _text),
    "isv.BLACK_KEY_CONTROL_LIMIT": ("text_blocked", _text),
    "isv.SMS_CONTENT_ILLEGAL": ("text_blocked", _text),
    "isp.RAM_PERMISSION_DENY": ("permission", _account),
    "Forbidden.RAM": ("permission", _account),
    "Forbidden": ("permission", _account),
    "NoPermission": ("permission", _account),
    "isv.OUT_OF_SERVICE": ("balance", _account),
    "isv.AMOUNT_NOT_ENOUGH": ("balance", _account),
    "isv.AMOUNT_NOT_ENOUG": ("balance", _account),
    "InsufficientBalance": ("balance", _account),
    "isv.PRODUCT_UN_SUBSCRIPT": ("not_subscribed", _account),
    "isv.PRODUCT_UNSUBSCRIBE": ("not_subscribed", _account),
    "isv.ACCOUNT_NOT_EXISTS": ("account", _account),
    "isv.ACCOUNT_ABNORMAL": ("account", _account),
    "isp.RES_OWNER_ID_UNKNOWN": ("account", _account),
    "isp.USER_NOT_EXIST": ("account", _account),
    "isp.USER_ASSERT_NOT_EXIST": ("account", _account),
    "isv.SMS_SIGNATURE_ILLEGAL": ("signature_name", _account),
    "isv.SMS_SIGN_ILLEGAL": ("signature_name", _account),
    "isv.SIGN_STATE_ILLEGAL": ("signature_name", _account),
    "isv.SMS_SIGNATURE_SCENE_ILLEGAL": ("signature_name", _account),
    "isv.EXTEND_CODE_ERROR": ("signature_name", _account),
    "isv.DENY_IP_RANGE": ("address_not_allowed", _account),
    "isv.DAY_LIMIT_CONTROL": ("account_limit", _account),
    "isv.MONTH_LIMIT_CONTROL": ("account_limit", _account),
    "isv.DISPLAY_NUMBER_ILLEGAL": ("sender", _account),
    "isv.BILLID_NOT_EXIST": ("sender", _account),
    "BillidNotExist": ("sender", _account),
    "isv.VOICE_ROBOT_NOT_PERIOD": ("hours_restricted", _account),
    "isv.VOICE_CALL_PERIOD_ERROR": ("hours_restricted", _account),
    "SignatureDoesNotMatch": ("credentials", _account),
    "IncompleteSignature": ("credentials", _account),
    "MissingAccessKeyId": ("credentials", _account),
    "InvalidAccessKeyId.NotFound": ("credentials", _account),
    "InvalidAccessKeyId.Inactive": ("credentials", _account),
    "InvalidAccessKeyId": ("credentials", _account),
    "InvalidTimeStamp.Expired": ("clock", _account),
    "InvalidTimeStamp.Format": ("clock", _account),
}
_nobody_knows = frozenset(
    {
        "isp.SYSTEM_ERROR",
        "isp.GATEWAY_ERROR",
        "isp.UNKNOWN",
        "InternalError",
        "ServiceUnavailable",
        # Somebody has used our nonce: a proxy that sent our request twice. The first one may have been taken.
        "SignatureNonceUsed",
    }
)


def answer_to(code: str, message: str = "") -> Rejected | Busy | Unknown:
    """What an error code means; the message tells only how long a limit lasts.

    A code that is not in the table is laid on the account, as with Twilio: laid on the number, a fault of our own
    set-up would mark one worker after the other unreachable.
    """
    if code == code_number_limit:
        return Busy(_limit_s(message), number_limit=True)
    if code == "Throttling" or code.startswith("Throttling."):
        return Busy(busy_retry_s)
    if code == "isv.VOICE_CALL_FAIL":
        return Busy(call_failed_retry_s)
    if code in _nobody_knows:
        return Unknown(code)
    shown = code if _code.fullmatch(code) else "unreadable"
    reason, scope = _refused.get(code, (f"refused_{shown}", Scope.ACCOUNT))
    return Rejected(reason, scope, shown)


def _limit_s(message: str) -> float:
    """Alibaba names the limit in words: by minute, by hour, by day."""
    lower = message.lower()
    return next((seconds for word, seconds in _limit_words if word in lower), _limit_least_s)
