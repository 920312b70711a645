"""A notifier that is killed over and over while alerts open and end: nothing may be lost.

Told twice is only what was being sent at the moment of a kill: such attempts are marked before they are made,
and counted. Half of the kills come while messages are handed over, the others at any moment of a start.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
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
STARTED_WITHIN_S, SENDING_WITHIN_S = 3.0, 0.6
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
    alerts = max(200, 60 * kills)
    devices = [NewDevice(name=f"bin-{n}", kind="bin", municipality=TOWN) for n in range(alerts)]
    async with (
        receiving(answer_after_s=ANSWER_AFTER_S) as receiver,
        alarm_town(dsn, receiver, devices, people=10, routes=one_each(10)) as town,
    ):
        opening = asyncio.create_task(_open_and_end(town, alerts))
        for _ in range(kills):
            await _start_and_kill(town, receiver, chance, directory / "notify.log")
        opening.cancel()
        with suppress(asyncio.CancelledError):
            await opening
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


def _pairs(alerts: int) -> Iterator[tuple[str, str]]:
    return ((f"storm-{n % RULES}", f"bin-{n}") for n in range(alerts))


async def _open_and_end(town: AlarmTown, alerts: int) -> None:
    """Open an alert at a time; every second one ends after ten others have opened."""
    opened: list[tuple[str, str]] = []
    for n, pair in enumerate(_pairs(alerts)):
        await asyncio.shield(town.change([pair], ConditionState.FIRING))
        opened.append(pair)
        if n >= 10 and n % 2:
            await asyncio.shield(town.change([opened[n - 10]], ConditionState.RESOLVED))
        await asyncio.sleep(EVERY_S)


async def _start_and_kill(
    town: AlarmTown, receiver: WebhookReceiver, chance: random.Random, log: Path
) -> None:
    async with child(NOTIFY, log, process_environment(town.dsn)) as process:
        if chance.random() < 0.5:
            await asyncio.sleep(chance.uniform(0, STARTED_WITHIN_S))
        else:
            before = len(receiver.received)
            while len(receiver.received) == before and process.returncode is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await asyncio.sleep(chance.uniform(0, SENDING_WITHIN_S))
        process.kill()
        await process.wait()


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
