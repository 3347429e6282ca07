"""One signed question to Amazon SNS and what its answer means. Never repeats one, never logs a body.

The answers are small XML documents of known shape: single elements are read out of them, nothing is expanded.
"""

import html
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from alerting.channels.base import Busy, Rejected, Unknown
from alerting.channels.forms import form
from alerting.channels.http import Answer, VendorHttp
from alerting.channels.providers.sns_errors import answer_to
from alerting.channels.providers.sns_settings import SnsSettings
from alerting.channels.providers.sns_signing import headers

_version = "2010-03-31"
_entry = re.compile(r"<entry>\s*<key>([^<]*)</key>\s*<value>([^<]*)</value>\s*</entry>")


class SnsAccount:
    """One access key's pooled client."""

    def __init__(self, settings: SnsSettings) -> None:
        self.settings = settings
        self.http = VendorHttp()
        self._credentials = settings.credentials

    async def ask(self, action: str, asked: Mapping[str, str], deadline_s: float) -> str | Rejected | Busy | Unknown:
        """The XML of a good answer."""
        settings = self.settings
        body = form({"Action": action, "Version": _version, **asked}).encode()
        sent = headers(self._credentials, urlsplit(settings.address).netloc, body, settings.now())
        got = await self.http.exchange("POST", f"{settings.address}/", deadline_s=deadline_s, headers=sent, body=body)
        return read(action, got) if isinstance(got, Answer) else got


def element(document: str, name: str) -> str:
    """The text of the first element of that name; "" where there is none."""
    found = re.search(rf"<{name}>([^<]*)</{name}>", document)
    return html.unescape(found.group(1)).strip() if found else ""


def entries(document: str) -> Mapping[str, str]:
    """A map as SNS writes it."""
    return {html.unescape(key): html.unescape(value) for key, value in _entry.findall(document)}


def read(action: str, answer: Answer) -> str | Rejected | Busy | Unknown:
    """A good answer names what was asked; a refusal names its code."""
    document = answer.body.decode("utf-8", "replace")
    if answer.status == 200:
        return document if f"<{action}Response" in document else Unknown("unreadable_answer")
    code = element(document, "Code")
    if "<ErrorResponse" not in document or not code:
        return Unknown("unreadable_answer")
    return answer_to(code, element(document, "Message"))
