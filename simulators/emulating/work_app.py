"""The body of a work chat's emulator: members, tokens that end, cards on people's phones, who has looked at them.

A vendor adds its addresses, checks and shapes. Never invents an acceptance.
"""

import time
from abc import abstractmethod
from datetime import datetime
from typing import Unpack

from aiohttp import web

from simulators.emulating.faults import Fault, FaultKind
from simulators.emulating.vendor import General, VendorEmulator
from simulators.phone import CardReceived


class WorkAppGeneral(General, total=False):
    """What every work chat's emulator takes."""

    members: frozenset[str] | None
    token_lives_s: int


class WorkAppEmulator(VendorEmulator):
    """members: None = whoever is written to. Further arguments as in `VendorEmulator`; people answer at once.

    address_trusted: False: every call is refused as coming from an unknown address.
    """

    def __init__(
        self, *, members: frozenset[str] | None = None, token_lives_s: int = 7_200, **general: Unpack[General]
    ) -> None:
        general.setdefault("time_scale", 0.0)
        super().__init__(**general)
        self.members = members
        self.token_lives_s = token_lives_s
        self.address_trusted = True
        self.tokens_given = 0
        self._tokens: dict[str, float] = {}
        self._by_ref: dict[str, CardReceived] = {}
        self._read: dict[str, datetime] = {}

    @abstractmethod
    def error_answer(self, fault: Fault) -> web.StreamResponse:
        """The vendor's own shape of `error` (with `fault.code`)."""

    def fault_answer(self, fault: Fault) -> web.StreamResponse:
        match fault.kind:
            case FaultKind.STATUS_429:
                return web.Response(status=429, headers={"Retry-After": fault.retry_after_header})
            case FaultKind.STATUS_500:
                return web.Response(status=500, text="internal error")
        return self.error_answer(fault)

    def end_tokens(self) -> None:
        """From now on every token given so far is refused."""
        self._tokens = dict.fromkeys(self._tokens, 0.0)

    def read(self, card: CardReceived) -> None:
        """The person looks at it."""
        self._read[card.ref] = self.clock()

    async def reset(self) -> None:
        await super().reset()
        self._by_ref.clear()
        self._read.clear()

    def _give(self, token: str) -> str:
        self.tokens_given += 1
        self._tokens[token] = time.monotonic() + self.token_lives_s
        return token

    def _lives(self, token: str) -> bool:
        return self._tokens.get(token, 0.0) > time.monotonic()

    async def _show(self, card: CardReceived) -> None:
        self.phones.show_card(card)
