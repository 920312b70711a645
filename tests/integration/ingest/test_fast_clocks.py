"""A clock a few minutes ahead goes unnoticed while messages are late: nothing is lost, nor stored twice."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

import numpy as np
import pytest

from ingest.commit import offsets
from ingest.commit.watermarks import Watermarks
from tests.integration.ingest.editions import NOW, Edition

MINUTE = 60_000_000
Said = dict[str, float]


def said(number: int, *, at: int, ahead: int = 6 * MINUTE, fill_pct: float | None = None) -> Said:
    """Return a numbered reading of an instant by a clock that is so far ahead."""
    value = number if fill_pct is None else fill_pct
    return {"ts": (at + ahead) // 1000, "boot": 1, "seq": number, "fill_pct": value}


async def stored(edition: Edition) -> list[float]:
    rows = await edition.connection.fetch("SELECT fill_pct FROM bin_reading ORDER BY fill_pct")
    return [row["fill_pct"] for row in rows]


LATE = said(2, at=NOW - 2 * MINUTE)
"""Said two minutes late, it passes for right: its time is four minutes ahead."""
TELLTALE = [said(1, at=NOW - 3 * MINUTE), said(3, at=NOW)]
"""Tells how wrong the clock is, of times before and after."""
OTHER = LATE | {"fill_pct": 77}


@pytest.mark.parametrize(
    "batches",
    [
        [[LATE], [TELLTALE], [LATE]],
        [[LATE, TELLTALE], [LATE]],
        [[TELLTALE, LATE], [LATE]],
        [[LATE], [TELLTALE, LATE]],
        [[LATE], [[LATE, *TELLTALE]]],
        [[LATE, [LATE, *TELLTALE]]],
        [[[LATE, *TELLTALE], LATE]],
        [[LATE], [TELLTALE], [[LATE, said(4, at=NOW - MINUTE)], LATE]],
    ],
)
async def test_what_passed_for_right_is_stored_once_although_its_clock_proves_wrong(
    edition: Edition, batches: list[list[Any]]
) -> None:
    settled = [await edition.receive(*messages) for messages in batches]

    readings = [m if isinstance(m, list) else [m] for messages in batches for m in messages]
    every = [r["fill_pct"] for message in readings for r in message]
    assert await stored(edition) == sorted(set(every))
    assert sum(len(d) for s in settled for d in s.duplicates) == len(every) - len(set(every))
    assert not any(s.refused for s in settled)


@pytest.mark.parametrize(
    ("received", "now"),
    [(-2 * MINUTE, 0), (0, -2 * MINUTE)],
    ids=["from quarantine", "clock of ours set back"],
)
async def test_what_passed_for_right_is_stored_once_whatever_the_time_is_at_its_repeat(
    edition: Edition, received: int, now: int
) -> None:
    await edition.receive(LATE)
    await edition.receive(TELLTALE)
    edition.pipeline.context.now = lambda: NOW + now

    again = edition.intake(LATE)
    await edition.process(replace(again, received_at=again.received_at + received))

    assert await stored(edition) == [1, 2, 3]


@pytest.mark.parametrize(
    "batches",
    [
        [[LATE], [TELLTALE], [OTHER]],
        [[LATE, [OTHER, *TELLTALE]]],
        [[LATE, OTHER, [OTHER, *TELLTALE]]],
    ],
)
async def test_another_reading_of_what_passed_for_right_is_not_lost(
    edition: Edition, batches: list[list[Any]]
) -> None:
    for messages in batches:
        await edition.receive(*messages)

    assert await stored(edition) == [1, 2, 3, 77]


@pytest.mark.parametrize("numbered", [True, False])
async def test_a_clock_that_is_set_back_tells_the_same_times_of_other_readings(
    edition: Edition, numbered: bool
) -> None:
    hours = 3 * 60 * MINUTE
    backlog = [said(n, at=NOW - hours + n * MINUTE, ahead=hours, fill_pct=50) for n in range(20)]
    live = [said(n, at=NOW + n * MINUTE, ahead=0, fill_pct=50) | {"boot": 2} for n in range(6)]
    unnumbered = [[{k: r[k] for k in ("ts", "fill_pct")} for r in part] for part in (backlog, live)]
    first, then = (live, backlog) if numbered else (unnumbered[1], unnumbered[0])
    for reading in first:
        await edition.receive(reading)

    await edition.receive([*then, said(20, at=NOW, ahead=hours, fill_pct=50)])

    assert len(await stored(edition)) == 6 + 21


@pytest.mark.parametrize("seed", [3, 8, 20, 24])
async def test_a_fast_clock_is_no_reason_to_store_a_reading_twice(edition: Edition, seed: int) -> None:
    random = Random(seed)
    ahead, count = random.randrange(4 * MINUTE, 9 * MINUTE, 1000), random.randrange(4, 12)
    readings = [said(n, at=NOW + n * MINUTE, ahead=ahead) for n in range(count)]
    messages = []
    for n in range(count):
        for _ in range(random.choice([1, 1, 2, 3])):
            late = random.choice([0, 0, 1, 2, 4, 20]) * MINUTE
            also = [r for r in readings[:n] if random.random() < 0.3]
            messages.append((NOW + n * MINUTE + late + random.randrange(MINUTE), [*also, readings[n]]))
    messages.sort(key=lambda message: message[0])
    context = edition.pipeline.context

    while messages:
        some, messages = messages[: (n := random.randrange(1, 5))], messages[n:]
        received = np.array([at for at, _ in some])
        context.now = partial(int, received[-1])
        await edition.process(replace(edition.intake(*(m for _, m in some)), received_at=received))
        if random.random() < 0.3:
            context.offsets, context.newest = await offsets.load(edition.connection, 0), Watermarks()

    assert await stored(edition) == list(range(count))


@pytest.mark.parametrize("ahead", [-60 * MINUTE, 0, 60 * 24 * 365 * 30 * MINUTE])
async def test_a_clock_that_stands_still_loses_no_reading(edition: Edition, ahead: int) -> None:
    first, *others = [said(n, at=NOW, ahead=ahead) for n in range(6)]
    settled = [await edition.receive(first), await edition.receive(*others[:3])]
    settled.append(await edition.receive(others[3:], others[0]))

    assert await stored(edition) == [0, 1, 1, 2, 3, 4, 5]
    assert not any(s.refused for s in settled)
    unset = await edition.connection.fetchval("SELECT count(*) FROM bin_reading WHERE quality & 4 = 4")
    assert unset == 6
