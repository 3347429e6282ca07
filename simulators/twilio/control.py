"""The steering face below /_emulator/, with what only Twilio has; never part of Twilio's API."""

import time
from typing import TYPE_CHECKING

from aiohttp import web

from simulators.emulating.control import ControlRoutes, json_object

if TYPE_CHECKING:
    from simulators.twilio.emulator import TwilioEmulator


class TwilioControl(ControlRoutes):
    """Beside what every emulator has:

    GET usage           CPU seconds of this process, counters, troubles
    POST inbound        {"from", "to", "body"}
    POST inbound-url    {"url"}
    """

    def __init__(self, emulator: "TwilioEmulator") -> None:
        super().__init__(emulator)
        self._emulator = emulator
        self.table |= {
            ("GET", "usage"): self._usage,
            ("POST", "inbound"): self._inbound,
            ("POST", "inbound-url"): self._inbound_url,
        }

    async def _usage(self, request: web.BaseRequest) -> object:
        emulator = self._emulator
        return {
            "cpu_seconds": time.process_time(),
            "messages": len(emulator.messages),
            "calls": len(emulator.calls),
            "webhooks_sent": emulator.webhooks.sent,
            "troubles": list(emulator.webhooks.troubles),
        }

    async def _inbound(self, request: web.BaseRequest) -> object:
        wish = await json_object(request)
        values = [str(wish.get(name) or "") for name in ("from", "to", "body")]
        if not values[0] or not values[1]:
            raise ValueError("from and to are needed")
        return {"status": await self._emulator.inbound(*values)}

    async def _inbound_url(self, request: web.BaseRequest) -> object:
        url = (await json_object(request)).get("url")
        self._emulator.inbound_url = None if url is None else str(url)
        return {"url": self._emulator.inbound_url}
