"""Who can reach the HTTP address, and over what: the one rule for the doctor and for signing in. Pure."""

import ipaddress
from collections.abc import Collection


def is_loopback(host: str) -> bool:
    """Only this machine reaches it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def open_without_https(host: str, cert: object | None, key: object | None, proxies: Collection[str]) -> bool:
    """A network can listen in: neither TLS of our own nor a proxy that is known to do it."""
    return not (is_loopback(host) or (cert is not None and key is not None) or proxies)
