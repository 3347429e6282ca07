"""Fresh ids: their form, their order, and that neither threads nor forks repeat one."""

import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from gengfu.clock import REFERENCE_ALPHABET, ForwardClock, RandomIds, SystemClock


def test_now_is_aware_utc() -> None:
    now = SystemClock().now()
    assert now.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)  # noqa: TID251 - compared with the clock itself


class _Hands(SystemClock):
    """A machine whose clocks are turned by hand."""

    def __init__(self) -> None:
        self.wall, self.mono, self.asleep = datetime(2026, 11, 27, tzinfo=UTC), 100.0, 0.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.mono

    def slept(self) -> float:
        return self.asleep

    def pass_time(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.mono += seconds


def _minutes(clock: ForwardClock, since: datetime) -> float:
    return (clock.now() - since).total_seconds() / 60


def test_a_minute_is_a_minute_whatever_is_done_to_the_clock() -> None:
    hands = _Hands()
    clock = ForwardClock(hands)
    begun = clock.now()
    for by in (3600, -7200, 30):
        hands.wall += timedelta(seconds=by)
        hands.pass_time(60)
    assert _minutes(clock, begun) == 3
    assert clock.jumped() == timedelta(0), "all in all it was set back, and is not followed"


def test_a_clock_set_forward_is_followed_when_it_is_told() -> None:
    hands = _Hands()
    clock = ForwardClock(hands)
    begun = clock.now()
    hands.wall += timedelta(hours=1)
    hands.pass_time(60)
    assert clock.jumped() == timedelta(hours=1)
    clock.follow(clock.jumped())
    assert (_minutes(clock, begun), clock.jumped(), clock.now()) == (61, timedelta(0), hands.wall)
    clock.follow(timedelta(hours=-1))
    assert clock.jumped() == timedelta(hours=1), "what was not written is not followed"


def test_a_slewed_clock_is_followed_at_once() -> None:
    hands = _Hands()
    clock = ForwardClock(hands)
    for _ in range(10):
        hands.wall += timedelta(milliseconds=300)
        hands.pass_time(1)
        assert (clock.now(), clock.jumped()) == (hands.wall, timedelta(0))


def test_a_machine_that_slept_was_not_set_forward() -> None:
    """Time went by for everybody: what is due is due."""
    hands = _Hands()
    clock = ForwardClock(hands)
    hands.wall += timedelta(minutes=30)
    hands.asleep = 1800.0
    assert (clock.now(), clock.jumped()) == (hands.wall, timedelta(0))


def test_uuid7_is_one_and_says_when() -> None:
    before = SystemClock().now()
    made = uuid.UUID(RandomIds().uuid7())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    at = datetime.fromtimestamp((made.int >> 80) / 1000, UTC)
    assert timedelta(milliseconds=-2) < at - before < timedelta(seconds=5)


def test_uuid7_text_grows() -> None:
    ids = RandomIds()
    made = [ids.uuid7() for _ in range(5_000)]
    assert made == sorted(set(made))
    assert all(str(uuid.UUID(text)) == text for text in made[:50])


def test_uuid7_has_62_random_bits() -> None:
    ids = RandomIds()
    either = nor = 0
    for _ in range(200):
        bits = uuid.UUID(ids.uuid7()).int & ((1 << 64) - 1)
        either |= bits
        nor |= ~bits
    assert either & (1 << 62) - 1 == (1 << 62) - 1
    assert nor & (1 << 62) - 1 == (1 << 62) - 1
    assert either >> 62 == 0b10


def test_attempt_is_thirteen_base32_characters() -> None:
    ids = RandomIds()
    made = {ids.attempt() for _ in range(2_000)}
    assert len(made) == 2_000
    assert {len(text) for text in made} == {13}
    assert set("".join(made)) == set("abcdefghijklmnopqrstuvwxyz234567")


def test_reference_has_no_look_alikes() -> None:
    ids = RandomIds()
    made = [ids.reference() for _ in range(2_000)]
    assert {len(text) for text in made} == {5}
    assert set("".join(made)) == set(REFERENCE_ALPHABET)
    assert not set(REFERENCE_ALPHABET) & set("IOQ01BGSUZ")
    assert len(set(made)) > 1_990


def test_fraction_stays_below_one() -> None:
    ids = RandomIds()
    made = [ids.fraction() for _ in range(2_000)]
    assert 0 <= min(made) < 0.1
    assert 0.9 < max(made) < 1


def test_threads_share_one_source() -> None:
    ids = RandomIds()
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: [ids.uuid7()[19:] for _ in range(2_000)], range(4)))
    assert len({text for part in made for text in part}) == 8_000


def test_a_forked_child_draws_its_own() -> None:
    ids = RandomIds()
    ids.attempt()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, ids.attempt().encode())
        os._exit(0)
    mine = ids.attempt()
    os.waitpid(child, 0)
    assert os.read(read, 64).decode() != mine
    os.close(read)
    os.close(write)
