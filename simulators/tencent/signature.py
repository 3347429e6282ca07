"""Is a request signed as TC3-HMAC-SHA256 demands? Works back from what the request itself says it signed.

Never imports the product, so that two readings of Tencent's page meet. Source: Tencent Cloud, "Signature v3".
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import reduce

minutes_apart_max = 5
_authorization = re.compile(
    r"TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d\d-\d\d)/([a-z]+)/tc3_request, "
    r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
)


def problem(
    headers: Mapping[str, str], body: bytes, keys: Mapping[str, str], service: str, now: datetime
) -> str | None:
    """Tencent's error code, or None. headers: names in lower case; keys: secrets by their id."""
    found = _authorization.fullmatch(headers.get("authorization", ""))
    stamp = headers.get("x-tc-timestamp", "")
    if found is None or not stamp.isdecimal():
        return "AuthFailure.InvalidAuthorization"
    secret_id, date, of_service, names, signature = found.groups()
    secret = keys.get(secret_id)
    if secret is None:
        return "AuthFailure.SecretIdNotFound"
    signed_at = datetime.fromtimestamp(int(stamp), UTC)
    if abs((now - signed_at).total_seconds()) > minutes_apart_max * 60:
        return "AuthFailure.SignatureExpire"
    signed = names.split(";")
    whole = of_service == service and date == signed_at.strftime("%Y-%m-%d") and {"content-type", "host"} <= set(signed)
    if not whole:
        return "AuthFailure.SignatureFailure"
    scope = "/".join((date, service, "tc3_request"))
    request = _request(headers, signed, body)
    text = "\n".join(("TC3-HMAC-SHA256", stamp, scope, hashlib.sha256(request).hexdigest()))
    steps = (date, service, "tc3_request", text)
    computed = reduce(
        lambda key, step: hmac.new(key, step.encode(), hashlib.sha256).digest(), steps, b"TC3" + secret.encode()
    )
    return None if hmac.compare_digest(computed.hex(), signature) else "AuthFailure.SignatureFailure"


def _request(headers: Mapping[str, str], signed: list[str], body: bytes) -> bytes:
    lines = ["POST", "/", ""]
    lines += [f"{name}:{headers.get(name, '').strip().lower()}" for name in signed]
    lines += ["", ";".join(signed), hashlib.sha256(body).hexdigest()]
    return "\n".join(lines).encode()
