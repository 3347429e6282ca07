"""TC3-HMAC-SHA256: how Tencent Cloud wants a request signed. Pure: `now` is an argument. Never sends.

Source: Tencent Cloud, "Signature v3". The same two headers are signed as by Tencent's own SDK.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

algorithm = "TC3-HMAC-SHA256"
content_type = "application/json"
_signed_headers = "content-type;host"


@dataclass(frozen=True, slots=True)
class Credentials:
    """One pair of API keys."""

    secret_id: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Action:
    """One operation of one service, for one region."""

    service: str
    name: str
    version: str
    region: str


def headers(credentials: Credentials, action: Action, host: str, body: bytes, now: datetime) -> Mapping[str, str]:
    """Everything that a signed POST to `/` needs. `host`: exactly as it will be sent, port included."""
    moment = now.astimezone(UTC)
    timestamp, date = str(int(moment.timestamp())), moment.date().isoformat()
    scope = f"{date}/{action.service}/tc3_request"
    canonical = (
        f"POST\n/\n\ncontent-type:{content_type}\nhost:{host}\n\n{_signed_headers}\n{hashlib.sha256(body).hexdigest()}"
    )
    to_sign = f"{algorithm}\n{timestamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(_key(credentials.secret_key, date, action.service), to_sign.encode(), "sha256").hex()
    return {
        "Authorization": (
            f"{algorithm} Credential={credentials.secret_id}/{scope}, "
            f"SignedHeaders={_signed_headers}, Signature={signature}"
        ),
        "Content-Type": content_type,
        "Host": host,
        "X-TC-Action": action.name,
        "X-TC-Region": action.region,
        "X-TC-Timestamp": timestamp,
        "X-TC-Version": action.version,
    }


@lru_cache(maxsize=16)
def _key(secret_key: str, date: str, service: str) -> bytes:
    """The same all day long."""
    key = f"TC3{secret_key}".encode()
    for part in (date, service, "tc3_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
