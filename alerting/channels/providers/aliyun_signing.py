"""ACS3-HMAC-SHA256: how a question to Alibaba Cloud is signed. Pure: the moment and the nonce come from outside.

The nonce protects Alibaba against replays; it makes nothing idempotent. Source: "Request syntax and signature V3".
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from alerting.channels.forms import strict

algorithm = "ACS3-HMAC-SHA256"
empty_body_sha256 = hashlib.sha256(b"").hexdigest()
_never_signed = frozenset({"authorization"})


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key; `secret` never shows."""

    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Action:
    """One operation of one product."""

    name: str
    version: str


def headers(
    credentials: Credentials,
    action: Action,
    host: str,
    params: Mapping[str, str],
    now: datetime,
    nonce: str,
    query: str | None = None,
) -> dict[str, str]:
    """All headers of a POST without a body, whose parameters stand in the query. query: `canonical_query` of them,
    where it is known already."""
    signed = {
        "host": host,
        "x-acs-action": action.name,
        "x-acs-version": action.version,
        "x-acs-date": now.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z",
        "x-acs-signature-nonce": nonce,
        "x-acs-content-sha256": empty_body_sha256,
    }
    return {**signed, "Authorization": authorization(credentials, "POST", params, signed, query)}


def authorization(
    credentials: Credentials,
    method: str,
    params: Mapping[str, str],
    signed_headers: Mapping[str, str],
    query: str | None = None,
) -> str:
    """The header of that name, over exactly these headers."""
    names, canonical = canonical_request(method, canonical_query(params) if query is None else query, signed_headers)
    told = f"{algorithm}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(credentials.secret.encode(), told.encode(), "sha256").hex()
    return f"{algorithm} Credential={credentials.key_id},SignedHeaders={names},Signature={signature}"


def canonical_request(method: str, query: str, headers: Mapping[str, str]) -> tuple[str, str]:
    """The names of the signed headers, and the text that is signed."""
    lower = {name.lower(): value.strip() for name, value in headers.items() if name.lower() not in _never_signed}
    names = sorted(lower)
    lines = "".join(f"{name}:{lower[name]}\n" for name in names)
    joined = ";".join(names)
    payload = lower["x-acs-content-sha256"]
    return joined, f"{method}\n/\n{query}\n{lines}\n{joined}\n{payload}"


def canonical_query(params: Mapping[str, str]) -> str:
    """As it is signed, and sent letter by letter."""
    return strict(sorted(params.items()))
