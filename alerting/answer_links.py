"""Links with which people answer by one tap: a household whether it was satisfied, a worker whether he goes.

Never stored: of a household's token the database holds the hash alone, of a worker's nothing at all; a token that this
deployment's secret did not make is none.
"""

import base64
import binascii
import hmac
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from alerting.channels.base import Submission

valid_days = 7
token_chars = 16
"""96 bits: nobody finds one by trying, and a Chinese text of one part has room for little more."""
worker_token_chars = 22
"""128 bits: a notification's own id, enciphered; who makes one up meets an id that nobody has."""
worker_valid_hours = 12
test_token_chars = 29
"""A self-test's own id and 96 bits that only this deployment can have made."""
path = "/a/"
open_place = "_" * worker_token_chars
"""Stands in a text until it is sent, as long as the token that takes its place."""
_TOKEN = re.compile(rf"{path}[\w-]{{{token_chars},{worker_token_chars}}}", re.ASCII)


@dataclass(frozen=True)
class AnswerLinks:
    """`public_url`: where the answer page is reached from outside; "" where it is not."""

    secret_key: str = field(repr=False)
    public_url: str = ""

    def token(self, incident_id: str, recipient_id: str, expires_at: datetime) -> str:
        said = f"result {incident_id} {recipient_id} {int(expires_at.timestamp())}"
        signed = hmac.digest(self.secret_key.encode(), said.encode(), sha256)
        return base64.urlsafe_b64encode(signed).decode()[:token_chars]

    def holds(self, token: str, incident_id: str, recipient_id: str, expires_at: datetime) -> bool:
        return hmac.compare_digest(token.encode(), self.token(incident_id, recipient_id, expires_at).encode())

    def link(self, token: str) -> str:
        """Empty where nobody outside reaches the page."""
        return f"{self.public_url.rstrip('/')}{path}{token}" if self.public_url and self.secret_key else ""

    @property
    def open_link(self) -> str:
        """A worker's link as texts are written, before it is known which message carries it."""
        return self.link(open_place)

    def worker_token(self, notification_id: str) -> str:
        """Empty for an id that is no UUID."""
        try:
            plain = UUID(notification_id).bytes
        except ValueError:
            return ""
        encryptor = self._cipher.encryptor()
        return base64.urlsafe_b64encode(encryptor.update(plain) + encryptor.finalize()).decode().rstrip("=")

    def test_link(self, test_id: str) -> str:
        """Where this self-test message is tapped by whoever reads it without our app; empty as `link`."""
        return self.link(self._test_token(test_id))

    def test_of(self, token: str) -> str | None:
        """Which self-test message it belongs to; None for a token that was made up."""
        if not self.secret_key or len(token) != test_token_chars or not token.isascii():
            return None
        test_id = token[:-token_chars]
        return test_id if hmac.compare_digest(token, self._test_token(test_id)) else None

    def _test_token(self, test_id: str) -> str:
        signed = hmac.digest(self.secret_key.encode(), f"self-test {test_id}".encode(), sha256)
        return test_id + base64.urlsafe_b64encode(signed).decode()[:token_chars]

    def notification_of(self, token: str) -> str | None:
        """Whose link it is; an id that nobody has for a token that was made up; None for what cannot be one."""
        if not self.secret_key or len(token) != worker_token_chars or not token.isascii():
            return None
        try:
            hidden = base64.b64decode(token + "==", altchars=b"-_", validate=True)
        except binascii.Error:
            return None
        if len(hidden) != len(UUID(int=0).bytes):
            return None
        decryptor = self._cipher.decryptor()
        found = str(UUID(bytes=decryptor.update(hidden) + decryptor.finalize()))
        return found if self.worker_token(found) == token else None

    def filled(self, submission: Submission) -> Submission:
        """The message with its own link in the open place; itself where it has none."""
        in_wording = submission.wording is not None and any(
            open_place in value for value in submission.wording.variables.values()
        )
        if open_place not in submission.text and not in_wording:
            return submission
        token = self.worker_token(submission.notification_id)
        if not token:
            return submission
        wording = submission.wording
        if wording is not None and in_wording:
            wording = replace(
                wording,
                variables={name: each.replace(open_place, token) for name, each in wording.variables.items()},
            )
        return replace(submission, text=submission.text.replace(open_place, token), wording=wording)

    @cached_property
    def _cipher(self) -> Cipher[modes.ECB]:
        """One block, never more: each id is enciphered by itself."""
        key = hmac.digest(self.secret_key.encode(), b"worker answer link", sha256)[:16]
        return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305


def without_links(text: str) -> str:
    """A text as others may read it: the token is for its household alone."""
    return _TOKEN.sub(rf"{path}...", text)


def hashed(token: str) -> str:
    return sha256(token.encode()).hexdigest()
