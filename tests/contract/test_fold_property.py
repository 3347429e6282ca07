"""Whatever order callbacks come in, however often, early, late or told twice: the same end, and ranks only rise."""

import asyncio
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerting.core.attempts import RANK, best, of_receipt
from alerting.core.model import AttemptState
from alerting.core.outcomes import ReceiptKind
from tests.contract.inbox_support import VENDOR, Desk, desk_on

numbers = count()


@st.composite
def tellings(draw: st.DrawFn) -> tuple[list[ReceiptKind], list[list[int]], int]:
    """Different words; the order, with repeats, in which they are told, cut into batches; when the attempt is known."""
    words = draw(st.lists(st.sampled_from(list(ReceiptKind)), min_size=1, max_size=6, unique=True))
    repeats = draw(st.lists(st.integers(0, len(words) - 1), max_size=8))
    order = draw(st.permutations([*range(len(words)), *repeats]))
    size = draw(st.integers(1, len(order)))
    batches = [order[at : at + size] for at in range(0, len(order), size)]
    return words, batches, draw(st.integers(0, len(batches)))


async def told(desk: Desk, words: list[ReceiptKind], batches: list[list[int]], known_at: int) -> list[AttemptState]:
    """The state after each batch from when the attempt is known, the last one after everything was looked at again."""
    attempt_id = f"a{next(numbers):012d}"
    states = []
    for number, batch in enumerate([*batches, []]):
        if number == known_at:
            await desk.attempt(attempt_id, state="sending", rank=1, provider_accepted_at=None)
        for index in batch:
            form = {"word": words[index].value}
            await desk.inbox.append(VENDOR, "voice", attempt_id, f"{attempt_id}|{index}", form)
        desk.inbox._looked_mono = None  # as a second later
        await desk.fold()
        if number >= known_at:
            states.append(AttemptState(await desk.state(attempt_id)))
    return states


def test_any_order_and_repetition_ends_the_same(migrated_sqlite_url: str) -> None:
    loop = asyncio.new_event_loop()
    opened = desk_on(migrated_sqlite_url)
    desk = loop.run_until_complete(opened.__aenter__())

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(tellings())
    def judge(telling: tuple[list[ReceiptKind], list[list[int]], int]) -> None:
        words, batches, known_at = telling
        states = loop.run_until_complete(told(desk, words, batches, known_at))
        expected = best([AttemptState.SENDING, *(of_receipt(word) for word in words)])
        assert states[-1] is expected
        ranks = [RANK[state] for state in states]
        assert ranks == sorted(ranks)
        assert states[-1] is not AttemptState.TAKEN, "no receipt acknowledges"

    try:
        judge()
    finally:
        loop.run_until_complete(opened.__aexit__(None, None, None))
        loop.close()
