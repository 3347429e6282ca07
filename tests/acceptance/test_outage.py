"""Half an hour without a provider, or without us: what has become old is not sent, the newest is, and once."""

import asyncio
from collections import Counter
from typing import Any

from gengfu.application import Application
from simulators.emulating.faults import FaultKind
from simulators.emulating.ledger import Outcome
from tests.acceptance.both import Begin, on_both_databases
from tests.acceptance.script import LADDER, Story

FLAT = "jd-hy-3-2-1201-smoke"
HALF_HOUR: dict[str, Any] = {
    "steps": [{**step, "after_s": 30 * number} for number, step in enumerate(LADDER["steps"])],
    "loop": {"every_s": 300, "to": ["grid_worker", "deputy", "community_duty"]},
}
"""Steps of half a minute; then everybody again, every five minutes, until somebody acts."""
outage_s = 1800
at_a_time_s = 120.0
tick_s = 1.2
"""The sweep looks once a second."""
recovered_s = 31.0
"""So long a provider that is back may go unnoticed."""


async def _time_passes(story: Story, seconds: float) -> None:
    for _ in range(int(seconds / at_a_time_s)):
        story.clock.pass_time(at_a_time_s)
        await asyncio.sleep(tick_s)


def _taken(story: Story) -> Counter[tuple[str | None, str]]:
    """What the provider took, by number and channel."""
    rows = story.stage.emulator.ledger.rows
    return Counter((row.to, row.kind.value) for row in rows if row.outcome is Outcome.PROVIDER_ACCEPTED)


@on_both_databases
async def test_after_half_an_hour_without_a_provider_one_text_and_one_call_each(story: Story) -> None:
    """Seven rounds were decided meanwhile. Whoever was asked is asked once more, by the newest of them."""
    await story.policy(HALF_HOUR)
    await story.sign_out(*list(story.apps))
    story.stage.emulator.faults.set(FaultKind.STATUS_500, reads=True)
    (await story.device(FLAT)).raise_alarm()
    await story.until(lambda: story.stage.emulator.ledger.rows)
    await _time_passes(story, outage_s)
    assert not _taken(story)

    story.stage.emulator.faults.clear()
    story.clock.pass_time(recovered_s)
    await story.until(lambda: len(_taken(story)) == 6)
    await asyncio.sleep(3 * tick_s)

    assert _taken(story) == _once(story, "worker-a", "worker-b", "community-duty")
    incident = await story.the_incident()
    dropped = await story.timeline(incident["id"], "expired")
    assert dropped
    assert {entry["reason"] for entry in dropped} == {"superseded"}


@on_both_databases
async def test_after_half_an_hour_without_us_one_step_and_not_what_was_missed(begin_story: Begin) -> None:
    """A service that is gone while many steps become due asks the next one, once, and no text is sent a second time."""
    async with begin_story() as story:
        await story.policy(HALF_HOUR)
        await story.sign_out(*list(story.apps))
        story.troubles_expected = True  # receipts come while nobody is there to take them
        (await story.device(FLAT)).raise_alarm()
        await story.until(lambda: len(_taken(story)) == 2)
        await story.stage.app.__aexit__()
        story.clock.pass_time(outage_s)
        async with Application(story.stage.config, story.clock) as again:
            story.stage.app = again
            await story.until(lambda: len(_taken(story)) == 4)
            await asyncio.sleep(2 * tick_s)
            assert _taken(story) == _once(story, "worker-a", "worker-b")


@on_both_databases
async def test_both_at_once_the_newest_of_each_goes_out(begin_story: Begin) -> None:
    """The provider fails, the service dies in the middle of its tries, and half an hour later both are back."""
    async with begin_story() as story:
        await story.policy(HALF_HOUR)
        await story.sign_out(*list(story.apps))
        story.troubles_expected = True
        story.stage.emulator.faults.set(FaultKind.STATUS_500, reads=True)
        (await story.device(FLAT)).raise_alarm()
        await _time_passes(story, 4 * at_a_time_s)
        await story.stage.app.__aexit__()
        story.clock.pass_time(outage_s)
        story.stage.emulator.faults.clear()
        async with Application(story.stage.config, story.clock) as again:
            story.stage.app = again
            await story.until(lambda: len(_taken(story)) == 6)
            await asyncio.sleep(3 * tick_s)
            assert _taken(story) == _once(story, "worker-a", "worker-b", "community-duty")


def _once(story: Story, *persons: str) -> dict[tuple[str, str], int]:
    """One text and one call each; they belong to the story."""
    phones = story.stage.emulator.phones
    story.claim(*(text.sid for text in phones.sms), *(call.sid for call in phones.calls))
    return {(story.number(person), channel): 1 for person in persons for channel in ("sms", "voice")}
