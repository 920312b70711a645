"""Killed between any two steps, by whoever: nothing that another's broker has taken is lost, or stored twice.

Processes are killed in tests/acceptance/test_a_killed_bridge_loses_and_repeats_nothing.py.
"""

from __future__ import annotations

import asyncio
from typing import Any

from tests.brokers import Mosquitto
from tests.integration.bridge.conftest import bridging, register, say
from tests.integration.ingest.conftest import Town
from tests.waiting import eventually, now

TOPIC = "nabd/v1/tripoli/bin/f1/telemetry"
BEGAN_MS = now() // 1000
"""One for all messages, so that no two of them share an instant."""


class Killed(Exception):
    """Stands for the end of a process."""


class Killer:
    """Ends a session at every third call of a step, a few times."""

    def __init__(self) -> None:
        self.step, self.calls, self.left = "", 0, 0

    def aim(self, step: str) -> None:
        self.step, self.calls, self.left = step, 0, 3

    def __call__(self, step: str) -> None:
        if step != self.step or not self.left:
            return
        self.calls += 1
        if self.calls % 3 == 0:
            self.left -= 1
            raise Killed


def dated(start: int, count: int) -> list[tuple[str, Any]]:
    return [(TOPIC, {"ts": BEGAN_MS - start - i, "fill_pct": i % 100, "n": start + i}) for i in range(count)]


def undated(start: int, count: int) -> list[tuple[str, Any]]:
    return [(TOPIC, {"fill_pct": i % 100, "n": start + i}) for i in range(count)]


async def numbers(connection: Any) -> list[int]:
    """Return what tells the readings that are stored, in order."""
    return [
        row["n"]
        for row in await connection.fetch("SELECT (extra->>'n')::int AS n FROM bin_reading ORDER BY n")
    ]


async def test_a_session_that_ends_after_any_step_loses_and_repeats_nothing(
    town: Town, foreign: Mosquitto
) -> None:
    await town.start()
    killer, sent = Killer(), 0
    async with bridging(town, killer) as bridged:
        await bridged.add("second", foreign, "nabd")
        await register(town, "f1", "second")

        async def connected() -> bool:
            state = await bridged.state("second")
            return state is not None and state.connected

        await eventually(connected)
        for step in ("translated", "settled", "remembered", "acknowledged"):
            killer.aim(step)
            for _ in range(3):
                await say(foreign, *dated(sent, 15), *undated(sent + 15, 5))
                sent += 20
                await asyncio.sleep(0.1)

            async def stored(wanted: int = sent) -> bool:
                return len(await numbers(town.connection)) >= wanted

            await eventually(stored)
            assert killer.left < 3, f"nothing was killed after {step}"
        # What is heard again would be stored by now.
        await say(foreign, *dated(sent, 1))
        await eventually(lambda: _has(town.connection, sent))

    assert await numbers(town.connection) == list(range(sent + 1))


async def _has(connection: Any, number: int) -> bool:
    return number in await numbers(connection)
