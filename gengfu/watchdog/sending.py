"""A text and a call through the watchdog's own account, by plain HTTP. Knows nothing of incidents; never retries.

Twilio's "Create a Message" and "Create a Call": the call carries its words with it, so that nothing of ours need be
reachable while it rings.
"""

import asyncio
import logging
from base64 import b64encode
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

import aiohttp

from alerting.channels.mask import masked
from alerting.core.languages import PACKS
from devices.model import Language

log = logging.getLogger(__name__)

base_url_default = "https://api.twilio.com"
request_seconds_max = 10.0
validity_s = 600
ring_s = 40
said_times = 3


@dataclass(frozen=True, slots=True)
class Account:
    account_sid: str
    auth_token: str = field(repr=False)
    from_number: str
    base_url: str | None = None


class Sender:
    """`async with Sender(account) as sender`."""

    def __init__(self, account: Account) -> None:
        self._account = account
        base = (account.base_url or base_url_default).rstrip("/")
        self._base = f"{base}/2010-04-01/Accounts/{account.account_sid}"
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Sender":
        login = f"{self._account.account_sid}:{self._account.auth_token}"
        token = f"Basic {b64encode(login.encode()).decode()}"
        timeout = aiohttp.ClientTimeout(total=request_seconds_max)
        self._session = aiohttp.ClientSession(headers={"authorization": token}, timeout=timeout)
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def tell(self, numbers: tuple[str, ...], text: str, speech: str, language: Language) -> bool:
        """A text to each number, and a call where there is something to say. Was any of them accepted?"""
        posts = [self._message(number, text) for number in numbers]
        if speech:
            posts += [self._call(number, speech, language) for number in numbers]
        return any(await asyncio.gather(*posts))

    async def _message(self, number: str, text: str) -> bool:
        form = {"To": number, "From": self._account.from_number, "Body": text, "ValidityPeriod": str(validity_s)}
        return await self._post("Messages", form)

    async def _call(self, number: str, speech: str, language: Language) -> bool:
        say = f'<Say language="{PACKS[language].voice}">{escape(speech)}</Say><Pause length="1"/>'
        form = {
            "To": number,
            "From": self._account.from_number,
            "Twiml": f"<Response>{say * said_times}</Response>",
            "Timeout": str(ring_s),
        }
        return await self._post("Calls", form)

    async def _post(self, noun: str, form: dict[str, str]) -> bool:
        assert self._session is not None
        to = masked(form["To"])
        try:
            async with self._session.post(f"{self._base}/{noun}.json", data=form) as answer:
                if answer.status < 300:
                    log.info("%s to %s accepted by the provider", noun, to)
                    return True
                log.error("%s to %s refused by the provider with %d", noun, to, answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            log.error("%s to %s did not reach the provider: %s", noun, to, type(fault).__name__)
        return False
