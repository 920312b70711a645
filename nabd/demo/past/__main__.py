"""`python -m nabd.demo.past`: the process that makes the past of a demo. Settings as every other process.

Prints a line of JSON whenever another day is there. A process edge: reads arguments, says how far it is.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from datetime import timedelta
from functools import partial

import msgspec

from devices import kinds
from firmware_sim.physics.model import SECOND
from firmware_sim.town import make_town
from nabd import logs
from nabd.demo.past.writing import PastCounts, PastPlan, PastWriter
from nabd.settings import Settings
from nabd.starting import Stopped, database_of, stop_on_signals, unless_stopped
from store.pool import connect

NICE = 15
HOURS_OF_FLIGHT = (5.0, 5.5)
"""UTC: an aircraft says something every second."""
FAULT_MEAN_DAYS = 4.0
"""Fewer faults than the present has: two technicians keep up with these."""
DAY_HOURS = 24


def main() -> None:
    """Make the past that the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m nabd.demo.past", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--end", type=int, required=True, help="microseconds since 1970-01-01Z")
    parser.add_argument("--days", type=float, required=True)
    parser.add_argument("--municipality", default="tripoli")
    arguments = parser.parse_args()
    logs.configure("past")
    os.nice(NICE)
    try:
        asyncio.run(_run(arguments))
    except Stopped:
        return


async def _run(arguments: argparse.Namespace) -> None:
    stop = stop_on_signals()
    settings = Settings()
    declared = kinds.load(settings.kinds_dir)
    town = make_town(
        arguments.seed,
        declared,
        municipality=arguments.municipality,
        strangers=0,
        drone_hours=HOURS_OF_FLIGHT,
        fault_mean_days=FAULT_MEAN_DAYS,
    )
    lasts = round(timedelta(days=arguments.days).total_seconds()) * SECOND
    plan = PastPlan(
        town=town,
        start=arguments.end - lasts,
        end=arguments.end,
        retention=settings.retention_days * DAY_HOURS * 3600 * SECOND,
    )
    writer = PastWriter(plan, declared, partial(connect, database_of(settings)))
    await unless_stopped(stop, writer.run(_tell))


def _tell(counts: PastCounts) -> None:
    if counts.hours % DAY_HOURS == 0 or counts.hours == counts.of_hours:
        print(msgspec.json.encode(counts).decode(), flush=True)


if __name__ == "__main__":
    main()
