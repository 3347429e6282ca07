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
    signed = {  # in the order in which they are signed
        "host": host,
        "x-acs-action": action.name,
        "x-acs-content-sha256": empty_body_sha256,
        "x-acs-date": now.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z",
        "x-acs-signature-nonce": nonce,
        "x-acs-version": action.version,
    }
    asked = canonical_query(params) if query is None else query
    return {**signed, "Authorization": _authorization(credentials, "POST", asked, signed)}


def authorization(
    credentials: Credentials, method: str, params: Mapping[str, str], signed_headers: Mapping[str, str]
) -> str:
    """The header of that name, over exactly these headers, whatever their order and case."""
    lower = {name.lower(): value.strip() for name, value in signed_headers.items() if name.lower() not in _never_signed}
    return _authorization(credentials, method, canonical_query(params), dict(sorted(lower.items())))


def _authorization(credentials: Credentials, method: str, query: str, signed: Mapping[str, str]) -> str:
    """signed: names in lower case and sorted."""
    names = ";".join(signed)
    lines = "".join([f"{name}:{value}\n" for name, value in signed.items()])
    canonical = f"{method}\n/\n{query}\n{lines}\n{names}\n{signed['x-acs-content-sha256']}"
    told = f"{algorithm}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(credentials.secret.encode(), told.encode(), "sha256").hex()
    return f"{algorithm} Credential={credentials.key_id},SignedHeaders={names},Signature={signature}"


def canonical_query(params: Mapping[str, str]) -> str:
    """As it is signed, and sent letter by letter."""
    return strict(sorted(params.items()))
