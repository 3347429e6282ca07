"""Guessing: a few failures in a window, then waiting; bounded, whatever the guesser does. The clock is a number."""

import asyncio

import pytest

from api import passwords, throttle
from api.passwords import Busy, Passwords, hash_password, verify_password
from api.throttle import Throttle, failures_max, known_max, network_of, window_s


class Hands:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def guesses(clock: Hands) -> Throttle:
    return Throttle(clock)


def test_five_failures_then_waiting_for_the_oldest_to_be_forgotten(guesses: Throttle, clock: Hands) -> None:
    for number in range(failures_max):
        assert guesses.wait_s("a") == 0, number
        guesses.count("a")
        clock.at += 10
    assert guesses.wait_s("a") == window_s - failures_max * 10
    assert guesses.wait_s("b") == 0
    clock.at += window_s - failures_max * 10 - 1
    assert guesses.wait_s("a") == 1
    clock.at += 1
    assert guesses.wait_s("a") == 0
    guesses.count("a")
    assert guesses.wait_s("a") == 10, "a sliding window, not a bucket that empties at once"


def test_success_clears_and_what_was_no_failure_is_given_back(guesses: Throttle) -> None:
    for _ in range(failures_max):
        guesses.count("a")
        guesses.count("b")
    guesses.clear("a")
    guesses.give_back("b")
    assert (guesses.wait_s("a"), guesses.wait_s("b")) == (0, 0)
    guesses.give_back("nobody")
    guesses.clear("nobody")


def test_memory_is_bounded_and_old_keys_are_forgotten(guesses: Throttle, clock: Hands) -> None:
    for number in range(known_max + 500):
        guesses.count(f"k{number}")
    assert len(guesses) == known_max
    clock.at += window_s
    assert guesses.wait_s(f"k{known_max}") == 0
    assert len(guesses) == known_max - 1


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("-", "-"),
        ("unix:/run/x", "unix:/run/x"),
    ],
)
def test_what_one_guesser_holds_is_one_key(address: str, network: str) -> None:
    assert network_of(address) == network


def test_parameters_are_at_least_the_floor() -> None:
    hashed = hash_password("correct horse 42")
    assert hashed.startswith("$argon2id$")
    assert f"m={passwords.memory_kib},t={passwords.rounds},p={passwords.lanes}" in hashed
    assert passwords.memory_kib >= 19 * 1024
    assert passwords.rounds >= 2
    assert hash_password("correct horse 42") != hashed, "salted"
    assert verify_password("correct horse 42", hashed) == (True, None)
    assert not verify_password("correct horse 43", hashed).right


async def test_at_most_so_many_wait_and_the_loop_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "waiting_max", 3)
    words = Passwords()
    hashed = await words.hash("correct horse 42")
    trying = [asyncio.create_task(words.verify("wrong", hashed)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await words.verify("wrong", hashed)
    turns = 0
    while not all(task.done() for task in trying):
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 3, "hashing held up the loop"
    assert [task.result().right for task in trying] == [False] * 3
    assert (await words.verify("correct horse 42", hashed)).right
    assert not (await words.verify("", None)).right, "nobody has no password, not even an empty one"
    assert throttle.window_s == 900
