"""Twilio's error codes and HTTP statuses as the four answers of the channel contract. Never repeats Twilio's own words:
they quote phone numbers. Source: Twilio, "Error and Warning Dictionary"."""

from collections.abc import Mapping

from alerting.channels.base import Busy, Rejected, Scope, Unknown
from alerting.channels.http import busy_retry_s

code_callback_refused = 21609
code_not_found = 20404
code_too_many_requests = 20429
queue_full_retry_s = 15.0

_refused: Mapping[int, tuple[str, Scope]] = {
    21201: ("number_missing", Scope.NUMBER),
    21604: ("number_missing", Scope.NUMBER),
    21211: ("number_invalid", Scope.NUMBER),
    21217: ("number_invalid", Scope.NUMBER),
    21614: ("number_not_mobile", Scope.NUMBER),
    21612: ("number_no_route", Scope.NUMBER),
    21610: ("opted_out", Scope.NUMBER),
    30005: ("number_unknown", Scope.NUMBER),
    30006: ("number_landline", Scope.NUMBER),
    20003: ("credentials", Scope.ACCOUNT),
    20005: ("account_inactive", Scope.ACCOUNT),
    21408: ("region_not_enabled", Scope.ACCOUNT),
    21215: ("region_not_enabled", Scope.ACCOUNT),
    21210: ("sender", Scope.ACCOUNT),
    21212: ("sender", Scope.ACCOUNT),
    21213: ("sender", Scope.ACCOUNT),
    21603: ("sender", Scope.ACCOUNT),
    21606: ("sender", Scope.ACCOUNT),
    21608: ("trial_account", Scope.ACCOUNT),
    21216: ("call_blocked", Scope.ACCOUNT),
    30002: ("account_suspended", Scope.ACCOUNT),
    30034: ("sender_unregistered", Scope.ACCOUNT),
    21602: ("text_missing", Scope.TEXT),
    21617: ("text_too_long", Scope.TEXT),
    30004: ("text_blocked", Scope.TEXT),
    30007: ("text_filtered", Scope.TEXT),
}
_queue_full = frozenset({21611, 30001})


def answer_to(status: int, code: int) -> Rejected | Busy | Unknown:
    """What an error answer means.

    A refusal whose code is not in the table is laid on the account: were it laid on the number, a fault of our own
    set-up would mark one worker after the other unreachable; laid on the account, a person is told and the carrier
    is changed.
    """
    if status == 429 or code == code_too_many_requests:
        return Busy(busy_retry_s)
    if status >= 500 or status == 408:
        return Unknown(f"http_{status}")
    if code in _queue_full:
        return Busy(queue_full_retry_s)
    reason, scope = _refused.get(code, (f"refused_{code}", Scope.ACCOUNT))
    return Rejected(reason, scope, str(code))
