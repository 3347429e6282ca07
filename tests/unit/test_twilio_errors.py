"""Error codes and statuses as answers: the whole table, and what stands in none."""

import pytest

from alerting.channels.base import Busy, Rejected, Scope, Unknown
from alerting.channels.http import busy_retry_s, retry_after, retry_after_max_s
from alerting.channels.mask import masked
from alerting.channels.providers.twilio_errors import answer_to

number_codes = (21211, 21217, 21614, 21612, 21610, 30005, 30006)
account_codes = (20003, 20005, 21408, 21215, 21606, 21603, 21210, 21212, 21213, 21608, 21216, 30002, 30034)
text_codes = (21602, 21617, 30004, 30007)


@pytest.mark.parametrize(
    ("code", "scope"),
    [(code, Scope.NUMBER) for code in number_codes]
    + [(code, Scope.ACCOUNT) for code in (*account_codes, 29_999, 0)]
    + [(code, Scope.TEXT) for code in text_codes],
)
def test_refusals(code: int, scope: Scope) -> None:
    answer = answer_to(400, code)
    assert isinstance(answer, Rejected)
    assert (answer.scope, answer.code) == (scope, str(code))


def test_never_taken() -> None:
    assert answer_to(429, 20429) == Busy(busy_retry_s)
    assert answer_to(400, 20429) == Busy(busy_retry_s)
    assert answer_to(400, 21611) == Busy(15.0)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 599])
def test_nobody_can_say(status: int) -> None:
    """Even with a code that would be a refusal elsewhere."""
    assert answer_to(status, 21211) == Unknown(f"http_{status}")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("3", 3.0), ("0.5", 0.5), ("99999", retry_after_max_s)]
    + [(odd, busy_retry_s) for odd in (None, "", "-3", "nan", "inf", "1e9", ".", "²", "Mon, 23 Nov 2026 08:00:00 GMT")],
)
def test_retry_after(header: str | None, seconds: float) -> None:
    assert retry_after(header) == seconds


def test_numbers_are_masked() -> None:
    assert masked("+8613812341234") == "138****1234"
    assert masked("+15551234567") == "+15****4567"
    for short in ("", "110", "+8611012"):
        assert masked(short) == "****"
