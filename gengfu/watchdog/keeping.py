"""What the watchdog remembers over a restart: one small file, replaced whole. Two of them never run on one file."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from gengfu.watchdog.judging import State

FILE = "watchdog.json"
LOCK = "watchdog.lock"
ACK = "watchdog.ack"


class WatchdogRuns(Exception):
    """One sentence: another one runs."""


class NoTrouble(Exception):
    """One sentence: there is nothing to acknowledge."""


def load(folder: Path) -> State:
    """A file that is missing or broken is a beginning: the watchdog must run."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=State)
    except (OSError, msgspec.MsgspecError, ValueError):
        return State()


def save(folder: Path, state: State) -> None:
    """Whole or not at all."""
    fresh = folder / f"{FILE}.new"
    fresh.write_bytes(msgspec.json.encode(state))
    os.replace(fresh, folder / FILE)


def acknowledge(folder: Path) -> State:
    """Tell the watchdog that somebody knows. Raises NoTrouble."""
    state = load(folder)
    if state.trouble is None:
        raise NoTrouble("There is no trouble that the watchdog has told of.")
    (folder / ACK).write_text("")
    return state


def take_acknowledgement(folder: Path) -> bool:
    """Has somebody said so since the last time?"""
    try:
        (folder / ACK).unlink()
    except FileNotFoundError:
        return False
    return True


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the lock until the block ends; the kernel frees it if the process dies. Raises WatchdogRuns."""
    descriptor = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WatchdogRuns(f"A watchdog runs already with its file in {folder}: stop it first.") from None
        yield
    finally:
        os.close(descriptor)


def runs(folder: Path) -> bool | None:
    """Does one run here? None: that cannot be told."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
