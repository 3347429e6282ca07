"""AWS Signature Version 4 for a form posted to `/`: what Amazon SNS wants. Pure: `now` is an argument. Never sends.

Source: AWS, "Signature Version 4 signing process".
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

algorithm = "AWS4-HMAC-SHA256"
content_type = "application/x-www-form-urlencoded; charset=utf-8"
service = "sns"
_signed_headers = "content-type;host;x-amz-date"
_second = len("2026-03-04T05:06:07")


@dataclass(frozen=True, slots=True)
class Credentials:
    """One access key, for one region."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    region: str


def headers(credentials: Credentials, host: str, body: bytes, now: datetime) -> Mapping[str, str]:
    """Everything that a signed POST to `/` needs. `host`: exactly as it will be sent, port included."""
    moment = now.astimezone(UTC).isoformat(timespec="seconds")[:_second].replace("-", "").replace(":", "") + "Z"
    date = moment[:8]
    scope = f"{date}/{credentials.region}/{service}/aws4_request"
    canonical = (
        f"POST\n/\n\ncontent-type:{content_type}\nhost:{host}\nx-amz-date:{moment}\n\n{_signed_headers}\n"
        f"{hashlib.sha256(body).hexdigest()}"
    )
    to_sign = f"{algorithm}\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(_key(credentials, date), to_sign.encode(), "sha256").hex()
    return {
        "Authorization": (
            f"{algorithm} Credential={credentials.access_key_id}/{scope}, "
            f"SignedHeaders={_signed_headers}, Signature={signature}"
        ),
        "Content-Type": content_type,
        "Host": host,
        "X-Amz-Date": moment,
    }


@lru_cache(maxsize=16)
def _key(credentials: Credentials, date: str) -> bytes:
    """The same all day long."""
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in (date, credentials.region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
