"""Phone numbers as logs may show them. Never returns a whole number."""

_china = "+86"
_shown_head = 3
_shown_tail = 4
_maskable_min = 9


def masked(number: str) -> str:
    """`+8613812341234` -> `138****1234`; what is too short to be masked that way is hidden whole."""
    national = number.removeprefix(_china)
    if len(national) < _maskable_min:
        return "****"
    return f"{national[:_shown_head]}****{national[-_shown_tail:]}"
