"""Who belongs to whom in a generated city with as many workers as buildings: alarm n, device n, worker n, phone n."""

_DEVICE_PREFIX = "sim-"
_PHONE_PREFIX = "+8610"


def device_id(n: int) -> str:
    """The n-th device, from 0; it stands in building n (modulo the buildings)."""
    return f"{_DEVICE_PREFIX}{n + 1:06d}"


def device_number(name: str) -> int:
    return int(name[len(_DEVICE_PREFIX) :]) - 1


def person_id(n: int) -> str:
    """The worker who is on duty for building n."""
    return f"w-{n + 1:06d}"


def phone(n: int) -> str:
    return f"{_PHONE_PREFIX}{n + 1:09d}"


def phone_number(address: str) -> int:
    """Whose phone it is; beyond the workers come the duty desks."""
    return int(address[len(_PHONE_PREFIX) :]) - 1
