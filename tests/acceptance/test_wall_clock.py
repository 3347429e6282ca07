"""Somebody sets the machine's clock: no step comes late, and the ladder is not run through at once."""

from datetime import datetime, timedelta

import pytest

from gengfu.application import Application
from tests.acceptance.both import Begin, on_both_databases
from tests.acceptance.script import LADDER, PATIENT_LADDER, Story, patience_s

pytestmark = pytest.mark.alone

FLAT = "jd-hy-3-2-1201-smoke"
step_s = 1.0
late_s_max = patience_s


@on_both_databases
async def test_set_back_it_delays_nobody(story: Story) -> None:
    await story.policy(LADDER)
    (await story.device(FLAT)).raise_alarm()
    await story.expect_sms("worker-a", "1201")

    story.clock.jump(timedelta(days=-365))

    await story.expect_app("worker-a", "1201")
    await story.expect_call("worker-a")
    await story.expect_page("worker-b", "1201")
    await story.expect_page("community-duty", "1201")


@on_both_databases
async def test_set_forward_nothing_comes_before_its_time(story: Story) -> None:
    """Due times move on with the clock: each step keeps the seconds that it had left, and none of them is skipped."""
    await story.policy(PATIENT_LADDER)
    (await story.device(FLAT)).raise_alarm()
    await story.expect_page("worker-a", "1201")

    story.clock.jump(timedelta(hours=1))
    await story.expect_nothing_more(2 * step_s)
    story.clock.pass_time(PATIENT_LADDER["steps"][1]["after_s"] - 4 * step_s)
    await story.expect_nothing_more(step_s)

    story.clock.pass_time(4 * step_s)
    await story.expect_page("worker-b", "1201")
    await story.expect_nothing_more(2 * step_s)
    incident = await story.the_incident()
    now = story.clock.now()
    assert abs((datetime.fromisoformat(incident["due_at"]) - now).total_seconds() - 300) < 10, "it follows the clock"


@on_both_databases
async def test_set_forward_and_back_again_the_ladder_has_its_pace(story: Story) -> None:
    await story.policy(LADDER)
    (await story.device(FLAT)).raise_alarm()
    await story.expect_page("worker-a", "1201")
    story.clock.jump(timedelta(minutes=20))
    await story.expect_page("worker-b", "1201")
    story.clock.jump(timedelta(minutes=-20))
    await story.expect_page("community-duty", "1201")
    await story.expect_nothing_more(2 * step_s)


@on_both_databases
async def test_set_back_while_nothing_runs_it_delays_nobody(begin_story: Begin) -> None:
    """Due times are rows in wall time. A service that starts on an earlier clock finds them ahead, and moves them."""
    async with begin_story() as story:
        await story.policy(PATIENT_LADDER)
        (await story.device(FLAT)).raise_alarm()
        await story.expect_page("worker-a", "1201")
        await story.sign_out(*list(story.apps))
        await story.stage.app.__aexit__()
        story.clock.jump(timedelta(hours=-2))
        async with Application(story.stage.config, story.clock) as again:
            story.stage.app = again
            await story.expect_nothing_more(2 * step_s)
            story.clock.pass_time(PATIENT_LADDER["steps"][1]["after_s"])
            await story.expect_sms("worker-b", "1201")
            await story.expect_call("worker-b")
            await story.expect_nothing_more(step_s)


@on_both_databases
async def test_what_happens_after_a_jump_has_its_full_time(story: Story) -> None:
    """An alarm raised after the clock was set back climbs at its own pace, neither at once nor never."""
    await story.policy(LADDER)
    device = await story.device(FLAT)
    story.clock.jump(timedelta(hours=-2))
    event_id = device.raise_alarm()

    texts = [await story.expect_page(person, "1201") for person in ("worker-a", "worker-b", "community-duty")]
    raised = device.events[event_id].published_at
    assert raised is not None
    # From the alarm, not from page to page: a page that a busy machine brings late makes the next gap look short.
    for step, text in enumerate(texts):
        assert step * step_s * 0.9 <= (text.at - raised).total_seconds() <= (step + 1) * step_s + late_s_max
