"""As many holders at once as there are connections; who waits is let in by priority, then by arrival."""

import asyncio
import itertools
from heapq import heappop, heappush

from alerting.ports import Priority


class Gate:
    """As many holders as there are connections; who waits is let in by priority, then by arrival."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._arrivals = itertools.count()
        self._waiting: list[tuple[Priority, int, asyncio.Future[None]]] = []

    async def enter(self, priority: Priority) -> None:
        if self._free > 0:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (priority, next(self._arrivals), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()  # let in and cancelled at the same moment: the next one's turn
            raise

    def leave(self) -> None:
        while self._waiting:
            _, _, turn = heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
