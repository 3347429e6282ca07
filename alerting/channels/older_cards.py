"""Cards that were sent and can still be changed: when somebody goes, the older ones of the same incident say so.

Best effort, in the background: a message never waits for it, and what a restart forgets keeps its buttons.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Coroutine

log = logging.getLogger(__name__)

cards_kept_max = 10_000
per_person_max = 8
"""Newer pages of one incident push the oldest out."""
tasks_max = 200
"""More at once, and the rest keep their buttons."""


class OlderCards:
    """By incident and person: whatever the vendor needs to change a card."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], list[str]] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def keep(self, incident_id: str, person: str, handle: str) -> None:
        """This card asks."""
        handles = self._kept.setdefault((incident_id, person), [])
        handles.append(handle)
        del handles[:-per_person_max]
        self._kept.move_to_end((incident_id, person))
        if len(self._kept) > cards_kept_max:
            self._kept.popitem(last=False)

    def take(self, incident_id: str, person: str) -> list[str]:
        """Those cards of his; each is handed out once."""
        return self._kept.pop((incident_id, person), [])

    def behind(self, work: Coroutine[object, object, None]) -> None:
        """Do it in the background."""
        if len(self._tasks) >= tasks_max:
            work.close()
            log.warning("too many cards to change at once: some keep their buttons")
            return
        task = asyncio.create_task(work, name="older-card")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """What is not done by now stays undone."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
