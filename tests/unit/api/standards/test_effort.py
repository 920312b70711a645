"""Judging is bounded: it runs in a thread, takes its turn, and ends when it has taken its time."""

from __future__ import annotations

import itertools
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from api.standards.effort import Effort, TooMuch

TURNS: list[str] = []


@asynccontextmanager
async def turn() -> AsyncIterator[None]:
    TURNS.append("begun")
    yield
    TURNS.append("ended")


def endless(check: Callable[[], None]) -> None:
    for _ in itertools.repeat(None):
        check()


async def test_endless_judging_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.standards.effort.SECONDS", 0.05)
    effort = Effort(turn)

    with pytest.raises(TooMuch, match="ask for less"):
        await effort.spend(endless, effort.check)
    with pytest.raises(TooMuch):  # all of an answer shares the time
        await effort.spend(effort.check)

    effort.check()  # what is no judging is not counted


async def test_judging_is_in_a_thread_and_has_its_turn_while_it_lasts() -> None:
    TURNS.clear()

    where = await Effort(turn).spend(lambda: (threading.get_ident(), [*TURNS]))

    assert where[0] != threading.get_ident()
    assert (where[1], TURNS) == (["begun"], ["begun", "ended"])
