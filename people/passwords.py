"""Passwords: argon2id, hashed in two threads of their own so that nobody else waits.

The parameters stand in each hash, so they can change later. Must not know whose password it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError
from pwdlib.hashers.argon2 import Argon2Hasher

from devices.registry.errors import Invalid

T = TypeVar("T")

LEAST, MOST = 10, 200
"""Characters of a password."""
MOST_WAITING = 16
"""Passwords that may wait for a thread; each takes 64 MiB and a tenth of a second of work."""

hasher = PasswordHash((Argon2Hasher(),))

_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")
_waiting = 0


class TooManyPasswords(Exception):
    """More passwords wait to be checked than is sensible: try again later."""


def check_password(password: str, name: str) -> None:
    """Refuse what anybody would guess.

    Raises:
        Invalid: it is too short or too long, or the person's name.
    """
    if not LEAST <= len(password) <= MOST:
        raise Invalid("password", f"has {LEAST} to {MOST} characters")
    if password.casefold() == name.casefold() or len(set(password)) < 4:
        raise Invalid("password", "can be guessed: choose several words")


async def hashed(password: str) -> str:
    """Return what is stored of a password.

    Raises:
        TooManyPasswords: too many wait.
    """
    return await _in_thread(lambda: hasher.hash(password))


async def is_password(password: str, stored: str | None) -> bool:
    """Tell whether a password is the stored one; takes as long where none is stored.

    Raises:
        TooManyPasswords: too many wait.
    """
    return await _in_thread(lambda: _verify(password[: MOST + 1], stored))


def _verify(password: str, stored: str | None) -> bool:
    try:
        return hasher.verify(password, stored or _nobodys(hasher)) and stored is not None
    except PwdlibError:
        return False


@cache
def _nobodys(made_by: PasswordHash) -> str:
    """Return a hash to compare with where there is none, so that names cannot be told apart by time."""
    return made_by.hash("nobody's password")


async def _in_thread(work: Callable[[], T]) -> T:
    global _waiting
    if _waiting >= MOST_WAITING:
        raise TooManyPasswords
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, work)
    finally:
        _waiting -= 1
