"""Checks ACS3-HMAC-SHA256 as Alibaba's gateway does, written from its description alone; a nonce counts once.

Shares nothing with what signs. Never reads a clock: the moment of the check comes from outside.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

clock_most = timedelta(minutes=15)
nonces_kept_max = 100_000
_scheme = "ACS3-HMAC-SHA256"
_must_be_signed = (
    "host",
    "x-acs-action",
    "x-acs-version",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-content-sha256",
)


@dataclass(frozen=True, slots=True)
class GatewayError:
    """A refusal of the gateway, before any product sees the request."""

    code: str
    message: str
    status: int = 400


class Gate:
    """One account's keys and the nonces that were used."""

    def __init__(self, key_id: str, secret: str) -> None:
        self._key_id = key_id
        self._secret = secret.encode()
        self._nonces: dict[str, None] = {}

    def forget(self) -> None:
        """Nonces of before count again."""
        self._nonces.clear()

    def check(
        self, method: str, raw_query: str, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> GatewayError | None:
        """None: let it in."""
        known = {name.lower(): value for name, value in headers.items()}
        told = _authorization(known.get("authorization", ""))
        if told is None:
            return GatewayError("IncompleteSignature", "The request signature does not conform to Aliyun standards.")
        if told["Credential"] != self._key_id:
            return GatewayError("InvalidAccessKeyId.NotFound", "Specified access key is not found.", 404)
        names = told["SignedHeaders"].split(";")
        if missing := [name for name in _must_be_signed if name not in names or name not in known]:
            return GatewayError("IncompleteSignature", f"Not signed: {', '.join(missing)}")
        if hashlib.sha256(body).hexdigest() != known["x-acs-content-sha256"]:
            return GatewayError("SignatureDoesNotMatch", "The body is not the one that was signed.")
        signature = self._signature(method, raw_query, [(name, known.get(name, "")) for name in names], known)
        if not hmac.compare_digest(signature, told["Signature"]):
            return GatewayError("SignatureDoesNotMatch", "Specified signature is not matched with our calculation.")
        return self._fresh(known, now)

    def _fresh(self, known: Mapping[str, str], now: datetime) -> GatewayError | None:
        try:
            sent = datetime.strptime(known["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            return GatewayError("InvalidTimeStamp.Format", "Specified time stamp is not well formatted.")
        if abs(now - sent) > clock_most:
            return GatewayError("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
        nonce = known["x-acs-signature-nonce"]
        if nonce in self._nonces:
            return GatewayError("SignatureNonceUsed", "Specified signature nonce was used already.")
        self._nonces[nonce] = None
        if len(self._nonces) > nonces_kept_max:
            del self._nonces[next(iter(self._nonces))]
        return None

    def _signature(self, method: str, raw_query: str, signed: list[tuple[str, str]], known: Mapping[str, str]) -> str:
        pairs = sorted(parse_qsl(raw_query, keep_blank_values=True))
        query = "&".join(quote(name, safe="~") + "=" + quote(value, safe="~") for name, value in pairs)
        parts = [method, "/", query]
        parts += [f"{name}:{value.strip()}" for name, value in signed]
        parts += ["", ";".join(name for name, _ in signed), known["x-acs-content-sha256"]]
        digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        return hmac.new(self._secret, f"{_scheme}\n{digest}".encode(), hashlib.sha256).hexdigest()


def _authorization(header: str) -> dict[str, str] | None:
    scheme, _, rest = header.partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
    if scheme != _scheme or not {"Credential", "SignedHeaders", "Signature"} <= set(parts):
        return None
    return parts
