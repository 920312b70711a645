"""Two storms of alerts: many a second, each told at once; and a district that goes dark, told in two.

The notifier is `nabd notify` as it is, its receivers a real HTTP server on this machine. How long telling
takes counts from just before the COMMIT that opens an alert until the webhook has arrived.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from alerts.transition import ConditionState
from bench.notify.alarm_town import RULES, TOWN, AlarmTown, alarm_town, notifying, path_of
from bench.notify.receiver import WebhookReceiver, receiving
from bench.notify.tellings import TellingCount, Told, count, first_arrivals
from devices import kinds
from devices.instants import to_datetime
from devices.registry.registration import NewDevice
from nabd import clock
from readings.latest import LatestColumns, flush
from rules.sweeps.leader import sweep_once

TICK_S = 0.05
WAIT_S = 60.0
DARK = {"commanded_dim_pct": 100, "power_w": 0.6, "voltage_v": 230.0}
LIT = {"commanded_dim_pct": 100, "power_w": 88.0, "voltage_v": 230.0}
LAMP_RULE, CIRCUIT_RULE = "light-lamp-failure", "circuit-down"


@dataclass(frozen=True, slots=True, kw_only=True)
class StormPlan:
    """rate, seconds: of the ungrouped alerts. receivers: of them; each alert tells one.

    circuits, lamps: of the district, lamps on each circuit. told: how many receivers hear of it.
    """

    rate: int = 100
    seconds: float = 10.0
    receivers: int = 100
    circuits: int = 40
    lamps: int = 50
    told: int = 10
    group_for_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StormResult:
    """What came of a storm. ungrouped, grouped: counts of its parts; p99_ms of the first part alone.

    messages: that each receiver got of the district, beginnings and ends. last_s: until the last was told.
    """

    ungrouped: TellingCount
    grouped: TellingCount
    p99_ms: float
    messages: Sequence[int]
    last_s: float

    def summary(self) -> dict[str, Any]:
        """Return the figures over both parts."""
        both = self.ungrouped.plus(self.grouped)
        return {
            **{name: asdict(both)[name] for name in ("sent", "told", "doubled", "lost")},
            "p99_ms": round(self.p99_ms),
        }


async def ungrouped(dsn: str, plan: StormPlan, directory: Path) -> tuple[TellingCount, float]:
    """Open alerts at a rate, each told to one receiver at once, and end them; return counts and p99 in ms."""
    wanted = round(plan.rate * plan.seconds)
    devices = [NewDevice(name=f"bin-{n}", kind="bin", municipality=TOWN) for n in range(wanted)]
    pairs = [(f"storm-{n % RULES}", f"bin-{n}") for n in range(wanted)]
    async with receiving() as receiver:
        opening = alarm_town(dsn, receiver, devices, people=plan.receivers, routes=one_each(plan.receivers))
        async with opening as town, notifying(town, directory / "notify.log"):
            began = await _at_rate(town, pairs, plan.rate, ConditionState.FIRING)
            numbers = await town.alerts("storm-%")
            opened = {_told(plan, pair, "opened", numbers): began[pair] for pair in pairs}
            await arrived(receiver, opened)
            await _at_rate(town, pairs, plan.rate, ConditionState.RESOLVED)
            ended = [_told(plan, pair, "resolved", numbers) for pair in pairs]
            await arrived(receiver, ended)
    first = first_arrivals(receiver.received)
    taken = sorted(first[told] - at for told, at in opened.items() if told in first)
    p99 = taken[min(len(taken) - 1, int(len(taken) * 0.99))] * 1000 if taken else float("inf")
    return count([*opened, *ended], receiver.received), p99


def _told(plan: StormPlan, pair: tuple[str, str], occasion: str, numbers: dict[tuple[str, str], int]) -> Told:
    rule = int(pair[0].removeprefix("storm-"))
    return path_of(f"r{rule % plan.receivers}"), occasion, numbers[pair]


def one_each(receivers: int) -> dict[str, Any]:
    """Return routes by which each rule has a receiver of its own, and nothing is grouped."""
    routes = [
        {"name": f"storm-{n}", "match": {"rule": f"storm-{n}"}, "tell": f"person:r{n % receivers}"}
        for n in range(RULES)
    ]
    return {"name": "storm", "tell": "person:r0", "group_for": "0s", "repeat": "never", "routes": routes}


async def _at_rate(
    town: AlarmTown, pairs: Sequence[tuple[str, str]], rate: int, after: ConditionState
) -> dict[tuple[str, str], float]:
    """Change alerts at a rate, whatever is due in one transaction; return when the COMMIT of each began."""
    began: dict[tuple[str, str], float] = {}
    start, done = time.monotonic(), 0
    while done < len(pairs):
        await asyncio.sleep(TICK_S)
        due = min(len(pairs), int((time.monotonic() - start) * rate))
        if some := pairs[done:due]:
            began |= dict.fromkeys(some, await town.change(some, after))
        done = due
    return began


async def arrived(receiver: WebhookReceiver, expected: Sequence[Told] | dict[Told, float]) -> None:
    """Wait until everything expected has arrived, or WAIT_S is over without a message."""
    wanted, seen, changed = set(expected), 0, time.monotonic()
    while not wanted <= first_arrivals(receiver.received).keys():
        if len(receiver.received) != seen:
            seen, changed = len(receiver.received), time.monotonic()
        if time.monotonic() - changed > WAIT_S:
            return
        await asyncio.sleep(0.1)


async def grouped(dsn: str, plan: StormPlan, directory: Path) -> tuple[TellingCount, list[int], float]:
    """Let the lamps of a district go dark and light again.

    Return counts, how many messages each receiver got, and after how many seconds the last was told.
    """
    circuits = [f"circuit-{n}" for n in range(plan.circuits)]
    lamps = {f"{circuit}-l{n}": circuit for circuit in circuits for n in range(plan.lamps)}
    devices = [NewDevice(name=name, kind="circuit", municipality=TOWN) for name in circuits]
    devices += [
        NewDevice(name=name, kind="light", municipality=TOWN, parent=parent, attributes={"rated_power_w": 90})
        for name, parent in lamps.items()
    ]
    async with receiving() as receiver:
        opening = alarm_town(dsn, receiver, devices, people=plan.told, routes=_all(plan))
        async with opening as town, notifying(town, directory / "notify.log"):
            dark_s, numbers = await _district(town, plan, list(lamps), receiver, dark=True)
            lit_s, _ = await _district(town, plan, list(lamps), receiver, dark=False, numbers=numbers)
    paths = [path_of(name) for name in town.people]
    expected = [
        (path, occasion, alert) for path in paths for alert in numbers for occasion in ("opened", "resolved")
    ]
    messages = [sum(m.path == path for m in receiver.received) for path in paths]
    return count(expected, receiver.received), messages, max(dark_s, lit_s)


def _all(plan: StormPlan) -> dict[str, Any]:
    people = [f"person:r{n}" for n in range(plan.told)]
    return {"name": "storm", "tell": people, "group_for": f"{plan.group_for_s:g}s", "repeat": "never"}


async def _district(
    town: AlarmTown,
    plan: StormPlan,
    lamps: Sequence[str],
    receiver: WebhookReceiver,
    *,
    dark: bool,
    numbers: Sequence[int] = (),
) -> tuple[float, Sequence[int]]:
    """Change the lamps and let the sweep find it; return seconds until the last was told, and incidents."""
    pairs = [(LAMP_RULE, lamp) for lamp in lamps]
    after = ConditionState.FIRING if dark else ConditionState.RESOLVED
    # The lamps are told of first, as in life: they are held, since their circuit may explain them.
    await town.change(pairs, after)
    await _measure(town, lamps, DARK if dark else LIT)
    began = time.time()
    await sweep_once(town.connection, kinds.load(), clock.wall())
    found = numbers or list((await town.alerts(CIRCUIT_RULE)).values())
    occasion = "opened" if dark else "resolved"
    expected = [(path_of(name), occasion, alert) for name in town.people for alert in found]
    await arrived(receiver, expected)
    first = first_arrivals(receiver.received)
    return max((first[told] - began for told in expected if told in first), default=0.0), found


async def _measure(town: AlarmTown, lamps: Sequence[str], measured: dict[str, Any]) -> None:
    now = clock.wall()
    await town.connection.execute(
        "UPDATE shard SET alive_at = $1, caught_up_at = $1::timestamptz - interval '1 hour'", to_datetime(now)
    )
    count = len(lamps)
    columns = LatestColumns(
        device_id=[town.device_ids[lamp] for lamp in lamps],
        observed_at=[now] * count,
        received_at=[now] * count,
        interval_s=[900.0] * count,
        quality=[0] * count,
        measurements=[measured] * count,
    )
    await flush(town.connection, columns)
