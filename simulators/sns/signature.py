"""Is a request signed as AWS Signature Version 4 demands? Works back from what the request itself says it signed.

Never imports the product, so that two readings of Amazon's page meet.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import reduce

minutes_apart_max = 5
_authorization = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([a-z0-9-]+)/sns/aws4_request, "
    r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
)


def problem(headers: Mapping[str, str], body: bytes, keys: Mapping[str, str], now: datetime) -> str | None:
    """Amazon's error code, or None. headers: names in lower case; keys: secrets by their id."""
    found = _authorization.fullmatch(headers.get("authorization", ""))
    stamp = headers.get("x-amz-date", "")
    if found is None:
        return "MissingAuthenticationToken" if "authorization" not in headers else "IncompleteSignature"
    key_id, date, region, names, signature = found.groups()
    secret = keys.get(key_id)
    if secret is None:
        return "InvalidClientTokenId"
    try:
        signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return "IncompleteSignature"
    if abs((now - signed_at).total_seconds()) > minutes_apart_max * 60 or not stamp.startswith(date):
        return "RequestExpired"
    signed = names.split(";")
    lines = ["POST", "/", "", *(f"{name}:{' '.join(headers.get(name, '').split())}" for name in signed)]
    lines += ["", names, hashlib.sha256(body).hexdigest()]
    request = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    text = "\n".join(("AWS4-HMAC-SHA256", stamp, f"{date}/{region}/sns/aws4_request", request))
    steps = (date, region, "sns", "aws4_request", text)
    computed = reduce(_step, steps, b"AWS4" + secret.encode()).hex()
    whole = {"host", "x-amz-date"} <= set(signed)
    return None if whole and hmac.compare_digest(computed, signature) else "SignatureDoesNotMatch"


def _step(key: bytes, part: str) -> bytes:
    return hmac.new(key, part.encode(), hashlib.sha256).digest()
