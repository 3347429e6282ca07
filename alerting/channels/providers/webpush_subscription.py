"""What a browser hands us when it subscribes: is it fit for use? We post to its endpoint, so one inside our own network
is refused here and once more when its name is resolved. Never sends.
"""

import ipaddress
import socket
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from cryptography.hazmat.primitives.asymmetric import ec

from alerting.channels.providers.webpush_settings import decoded, public_key_bytes

endpoint_chars_max = 2048
auth_bytes = 16
_local_names = ("localhost", ".localhost", ".local", ".internal", ".home.arpa")


def endpoint_fault(endpoint: str, allow_private: bool) -> str | None:
    """None when a message may be posted there; otherwise a code of `api.words`."""
    if len(endpoint) > endpoint_chars_max or not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint:
        return "push_endpoint"
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "push_endpoint"
    if not host or port == 0 or "@" in parts.netloc or parts.fragment or "\\" in endpoint:
        return "push_endpoint"
    if allow_private:
        return None if parts.scheme in ("https", "http") else "push_endpoint"
    if parts.scheme != "https":
        return "push_https"
    return "push_private" if _inside(host) else None


def key_fault(p256dh: str) -> bool:
    """No point of the curve P-256, uncompressed."""
    raw = decoded(p256dh)
    if raw is None or len(raw) != public_key_bytes or raw[0] != 4:
        return True
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    except ValueError:
        return True
    return False


def auth_fault(auth: str) -> bool:
    """No 16 bytes."""
    raw = decoded(auth)
    return raw is None or len(raw) != auth_bytes


def service_of(endpoint: str) -> str:
    """The push service: all of an endpoint that may be shown."""
    return urlsplit(endpoint).netloc


def is_public(address: str) -> bool:
    """An address of the public internet."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and (inner := found.ipv4_mapped or found.sixtofour) is not None:
        found = inner
    return found.is_global and not found.is_multicast


class PublicResolver(AbstractResolver):
    """Names that lead into our own network lead nowhere, whatever they led to when they were registered."""

    def __init__(self) -> None:
        self._inner = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The public addresses of a name; OSError when it has none."""
        found = [each for each in await self._inner.resolve(host, port, family) if is_public(each["host"])]
        if not found:
            raise OSError("the push service has no public address")
        return found

    async def close(self) -> None:
        await self._inner.close()


def _inside(host: str) -> bool:
    """An address instead of a name (no push service has one), or a name that only a local network knows."""
    bare = host.rstrip(".")
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        # `2130706433` and `127.1` are addresses too, to a resolver: the last label of a public name is no number.
        last = bare.rpartition(".")[2]
        return "." not in bare or last[:1].isdigit() or bare.endswith(_local_names)
    return True
