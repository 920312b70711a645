"""A notifier that is killed over and over while alerts open and end: nothing may be lost.

Told twice is only what was being sent at the moment of a kill: such attempts are marked before they are made,
and counted. Half of the kills come while messages are handed over, the others at any moment of a start.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import count as count_from
from pathlib import Path
from typing import Any

from alerts.transition import ConditionState
from bench.notify.alarm_town import (
    NOTIFY,
    RULES,
    TOWN,
    AlarmTown,
    alarm_town,
    notifying,
    path_of,
    process_environment,
)
from bench.notify.receiver import WebhookReceiver, receiving
from bench.notify.storm import arrived, one_each
from bench.notify.tellings import TellingCount, Told, count
from bench.throughput.children import child
from devices.registry.registration import NewDevice

EVERY_S = 0.05
DEVICES, BEHIND = 200, 100
STARTED_WITHIN_S, SENDING_WITHIN_S = 3.0, 0.6
MESSAGE_WITHIN_S = 15.0
ANSWER_AFTER_S = 0.05
"""How long the receiver takes to answer, so that a kill finds messages under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KillResult:
    """What came of the kills. doubtful: messages of which nobody knew whether they had arrived.

    unexplained: tellings that came twice by messages that were not doubtful.
    """

    kills: int
    counted: TellingCount
    doubtful: int
    unexplained: int

    def summary(self) -> dict[str, Any]:
        """Return the figures."""
        named = {name: asdict(self.counted)[name] for name in ("sent", "told", "doubled", "lost")}
        return {"kills": self.kills, **named, "doubtful": self.doubtful, "unexplained": self.unexplained}


async def killed(dsn: str, kills: int, seed: int, directory: Path) -> KillResult:
    """Kill the notifier so often while alerts open and end, then let it finish."""
    chance = random.Random(seed)  # noqa: S311 - a seed repeats a run
    devices = [NewDevice(name=f"bin-{n}", kind="bin", municipality=TOWN) for n in range(DEVICES)]
    async with (
        receiving(answer_after_s=ANSWER_AFTER_S) as receiver,
        alarm_town(dsn, receiver, devices, people=10, routes=one_each(10)) as town,
    ):
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(_open_and_end(town, over))
            for _ in range(kills):
                await _start_and_kill(town, receiver, chance, directory / "notify.log")
            over.set()
        async with notifying(town, directory / "notify.log"):
            await arrived(receiver, await _expected(town))
            await _settled(town)
        expected = await _expected(town)
        doubtful = {row["id"] for row in await town.connection.fetch(_DOUBTFUL)}
    counted = count(expected, receiver.received)
    return KillResult(
        kills=kills,
        counted=counted,
        doubtful=len(doubtful),
        unexplained=_unexplained(receiver, doubtful),
    )


_DOUBTFUL = "SELECT DISTINCT delivery_id::text AS id FROM delivery_attempt WHERE ended_at IS NULL"


async def _open_and_end(town: AlarmTown, over: asyncio.Event) -> None:
    """Open an alert at a time, and end it when BEHIND others have opened, until it is over."""
    pairs = [(f"storm-{n % RULES}", f"bin-{n}") for n in range(DEVICES)]
    for n in count_from(0):
        if over.is_set():
            return
        await town.change([pairs[n % DEVICES]], ConditionState.FIRING)
        if n >= BEHIND:
            await town.change([pairs[(n - BEHIND) % DEVICES]], ConditionState.RESOLVED)
        await asyncio.sleep(EVERY_S)


async def _start_and_kill(
    town: AlarmTown, receiver: WebhookReceiver, chance: random.Random, log: Path
) -> None:
    async with child(NOTIFY, log, process_environment(town.dsn)) as process:
        if chance.random() < 0.5:
            await asyncio.sleep(chance.uniform(0, STARTED_WITHIN_S))
        else:
            await _first_message(receiver)
            await asyncio.sleep(chance.uniform(0, SENDING_WITHIN_S))
        process.kill()
        await process.wait()


async def _first_message(receiver: WebhookReceiver) -> None:
    """Wait for a message, though no longer than MESSAGE_WITHIN_S."""
    before = len(receiver.received)
    with suppress(TimeoutError):
        async with asyncio.timeout(MESSAGE_WITHIN_S):
            while len(receiver.received) == before:  # noqa: ASYNC110 - a bound is above
                await asyncio.sleep(0.01)


_EXPECTED = """
SELECT alert.id, alert.rule, alert.state = 'resolved' AS ended,
    coalesce(e.state = 'ended', false) AND NOT EXISTS (
        SELECT FROM delivery_alert AS about INNER JOIN delivery AS d ON about.delivery_id = d.id
        WHERE about.alert_id = alert.id AND d.occasion = 'opened' AND about.needed
    ) AS needless
FROM alert
LEFT JOIN escalation AS e ON alert.id = e.alert_id
"""


async def _expected(town: AlarmTown) -> list[Told]:
    """Return what had to be told: beginnings, but those whose end came before they were sent, and ends."""
    expected: list[Told] = []
    for row in await town.connection.fetch(_EXPECTED):
        path = path_of(f"r{int(row['rule'].removeprefix('storm-')) % 10}")
        if not row["needless"]:
            expected.append((path, "opened", row["id"]))
            expected += [(path, "resolved", row["id"])] if row["ended"] else []
    return expected


_OPEN = """
SELECT (SELECT count(*) FROM delivery WHERE state IN ('planned', 'sending'))
    + (SELECT count(*) FROM escalation WHERE next_at IS NOT NULL)
"""


async def _settled(town: AlarmTown) -> None:
    while await town.connection.fetchval(_OPEN):  # noqa: ASYNC110 - the database tells of no end
        await asyncio.sleep(0.05)


def _unexplained(receiver: WebhookReceiver, doubtful: set[str]) -> int:
    """Return how many tellings came again by a message that was certain."""
    seen: set[Told] = set()
    found = 0
    for message in receiver.received:
        for alert in message.alerts:
            told = (message.path, message.occasion, alert)
            found += told in seen and message.id not in doubtful
            seen.add(told)
    return found
