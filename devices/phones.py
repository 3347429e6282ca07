"""Telephone numbers, read the way people write them. Never stores, shows or dials one."""

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

HOME_REGION = "CN"
HIDDEN = "***"
_DIGITS = re.compile(r"\+?\d(?:[\s().-]{0,2}\d){6,}")
"""Seven digits and more, in any script, however they are grouped: a date in eight digits goes too."""


def normalise(text: str) -> str | None:
    """E.164 (`13800138000` -> `+8613800138000`), None when it is no number that can exist and be dialled as it is.

    Short numbers (119, 95598), local ones without their area code and extensions are none.
    """
    try:
        number = phonenumbers.parse(text, HOME_REGION)
    except NumberParseException:
        return None
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def without_numbers(text: str) -> str:
    """Free text as it may be kept for ever: whatever could be a telephone number is hidden."""
    return _DIGITS.sub(HIDDEN, text)
