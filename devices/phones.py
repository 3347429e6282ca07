"""Telephone numbers, read the way people write them. Never stores, shows or dials one."""

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

HOME_REGION = "CN"


def normalise(text: str) -> str | None:
    """E.164 (`13800138000` -> `+8613800138000`), None when it is no number that can exist."""
    try:
        number = phonenumbers.parse(text, HOME_REGION)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
