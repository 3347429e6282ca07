"""One signed question to Alibaba Cloud and what its answer means. Never repeats one, never logs an address: the number
stands in it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from yarl import URL

from alerting.channels.base import Busy, Rejected, Unknown
from alerting.channels.http import Answer, VendorHttp
from alerting.channels.providers.aliyun_errors import answer_to, code_fine
from alerting.channels.providers.aliyun_settings import AliyunSettings
from alerting.channels.providers.aliyun_signing import Action, canonical_query, headers

Response = Mapping[str, Any]
"""A whole answer whose `Code` is OK."""
Got = Response | Rejected | Busy | Unknown

_messages_version = "2017-05-25"
_balance_version = "2017-12-14"
_balance_fine = frozenset({"Success", "200"})


class AliyunAccount:
    """One account's pooled client, shared by its channels."""

    def __init__(self, settings: AliyunSettings) -> None:
        self.settings = settings
        self.http = VendorHttp()
        self._credentials = settings.credentials

    async def sms(self, name: str, params: Mapping[str, str], deadline_s: float) -> Got:
        """An operation of the text service."""
        return await self._ask(self.settings.sms_base_url, Action(name, _messages_version), params, deadline_s)

    async def voice(self, name: str, params: Mapping[str, str], deadline_s: float) -> Got:
        """An operation of the voice service."""
        return await self._ask(self.settings.voice_base_url, Action(name, _messages_version), params, deadline_s)

    async def balance(self, deadline_s: float) -> Got:
        """What is left on the account, asked of the billing service."""
        action = Action("QueryAccountBalance", _balance_version)
        return await self._ask(self.settings.balance_base_url, action, {}, deadline_s)

    async def _ask(self, base_url: str, action: Action, params: Mapping[str, str], deadline_s: float) -> Got:
        """Parameters travel in the query, as Alibaba describes them and its own clients do."""
        settings = self.settings
        home = urlsplit(base_url)
        query = canonical_query(params)
        sent = headers(self._credentials, action, home.netloc, params, settings.now(), settings.nonce(), query)
        url = URL.build(scheme=home.scheme, authority=home.netloc, path="/", query_string=query, encoded=True)
        got = await self.http.exchange("POST", url, deadline_s=deadline_s, headers=sent)
        return read(got) if isinstance(got, Answer) else got


def read(answer: Answer) -> Got:
    """Refusals stand inside a 200 as well as under 4xx; the code decides, not the status."""
    try:
        document = answer.json()
    except ValueError:
        return Unknown("unreadable_answer")
    code = document.get("Code") if isinstance(document, dict) else None
    if not isinstance(code, str):
        return Unknown("unreadable_answer")
    if code == code_fine or (code in _balance_fine and "Data" in document):
        return document if answer.status < 300 else Unknown("unreadable_answer")
    message = document.get("Message")
    return answer_to(code, message if isinstance(message, str) else "")
