"""Links with which a household says by one tap whether it was satisfied: signed, short, for one incident and person.

Never stored: the database holds a token's hash alone, and a token that this deployment's secret did not make is none.
"""

import base64
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

valid_days = 7
token_chars = 16
"""96 bits: nobody finds one by trying, and a Chinese text of one part has room for little more."""
path = "/a/"
_TOKEN = re.compile(rf"{path}[\w-]{{{token_chars}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
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


def without_links(text: str) -> str:
    """A text as others may read it: the token is for its household alone."""
    return _TOKEN.sub(rf"{path}...", text)


def hashed(token: str) -> str:
    return sha256(token.encode()).hexdigest()
