"""What the recorder holds: outcomes that are taken and not written yet, and none that never will be."""

import asyncio
from typing import Any, cast

from alerting.core.model import AttemptState
from alerting.ports import Database
from alerting.recorder import Outcome, Recorder
from alerting.store.attempts import Change

OUTCOME = Outcome(Change("attempt-1", AttemptState.PROVIDER_ACCEPTED), "notification-1", "incident-1")


class Faulty:
    """Whatever is written is at fault itself; to try again would not help."""

    async def write(self, *_: Any) -> None:
        raise ValueError("a fault of ours")


async def test_an_outcome_that_can_never_be_written_holds_nothing() -> None:
    recorder = Recorder(cast(Database, Faulty()), lambda entries: None, lambda conn, channel: None)
    done = recorder.record_durably(OUTCOME)
    recorder.record(OUTCOME)
    assert recorder.holds("attempt-1")
    await asyncio.wait({done}, timeout=5.0)
    assert done.cancelled(), "whoever waits for it goes on"
    assert not recorder.holds("attempt-1")
