"""Passwords as argon2id hashes (OWASP's floor and above). Never keeps or logs one, never hashes on the loop."""

import asyncio
from typing import NamedTuple

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError
from pwdlib.hashers.argon2 import Argon2Hasher

memory_kib = 19 * 1024
rounds = 3
lanes = 1
"""OWASP's floor is 19 MiB, 2 rounds, 1 lane."""
at_once_max = 2
waiting_max = 64
"""More sign-ins than this at once are told to come again: each takes its memory and a core."""

_hasher = PasswordHash((Argon2Hasher(time_cost=rounds, memory_cost=memory_kib, parallelism=lanes),))


class Busy(Exception):
    """Too many at once."""


class Verdict(NamedTuple):
    right: bool
    stronger: str | None = None
    """The same password under today's parameters, where the stored hash has older ones."""


def hash_password(password: str) -> str:
    """Takes its time: call it in a thread."""
    return _hasher.hash(password)


def verify_password(password: str, password_hash: str) -> Verdict:
    """Takes its time: call it in a thread."""
    try:
        return Verdict(*_hasher.verify_and_update(password, password_hash))
    except PwdlibError:
        return Verdict(False)


class Passwords:
    """Hashes and verifies in threads, a few at a time. `verifications`: how many there were, right or wrong."""

    def __init__(self) -> None:
        self.verifications = 0
        self._slots = asyncio.Semaphore(at_once_max)
        self._waiting = 0
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        async with self._slots:
            return await asyncio.to_thread(hash_password, password)

    async def verify(self, password: str, password_hash: str | None) -> Verdict:
        """None, for a user who does not exist, takes as long as a wrong password. Raises `Busy`."""
        if self._waiting >= waiting_max:
            raise Busy
        self._waiting += 1
        try:
            async with self._slots:
                if self._nobody is None:
                    self._nobody = await asyncio.to_thread(hash_password, "")
                self.verifications += 1
                verdict = await asyncio.to_thread(verify_password, password, password_hash or self._nobody)
        finally:
            self._waiting -= 1
        return verdict if password_hash is not None else Verdict(False)
