"""`python -m firmware_sim`: a simulated town against any broker, for firmware engineers.

A process edge: reads the wall clock and the command line; everything else takes them as arguments.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import math
import random
import signal
import time
from pathlib import Path

from devices import kinds
from devices.kinds.kind import KindError
from firmware_sim.fleet import run
from firmware_sim.link import SimulatorBroker
from firmware_sim.town import PLACES, make_town


def main() -> None:
    """Parse arguments and run until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m firmware_sim", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the broker's address (default: %(default)s)")
    parser.add_argument("--port", type=int, default=1883, help="its port (default: %(default)s)")
    parser.add_argument(
        "--municipality", choices=sorted(PLACES), default="tripoli", help="which town (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=None, help="same seed, same town (default: random)")
    parser.add_argument("--bins", type=_count, default=30, help="how many (default: %(default)s)")
    parser.add_argument("--lights", type=_count, default=24, help="how many (default: %(default)s)")
    parser.add_argument("--drones", type=_count, default=3, help="how many (default: %(default)s)")
    parser.add_argument(
        "--interval-cap", type=_positive, default=None, help="longest reporting interval, seconds"
    )
    parser.add_argument("--kinds", type=Path, default=None, help="directory of TOML kinds")
    parser.add_argument("--speed", type=_positive, default=1.0, help="simulated seconds per second")
    parser.add_argument(
        "--for", dest="seconds", type=_positive, default=None, help="stop after this many seconds"
    )
    parser.add_argument("--log", type=Path, default=Path("simulator"), help="directory for the two logs")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        declared = kinds.load(arguments.kinds)
    except KindError as error:
        parser.error(str(error))
    asyncio.run(_run(arguments, declared))


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 on")
    return int(text)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return value


async def _run(arguments: argparse.Namespace, declared: kinds.Kinds) -> None:
    seed = random.randrange(1 << 31) if arguments.seed is None else arguments.seed
    town = make_town(
        seed,
        declared,
        municipality=arguments.municipality,
        bins=arguments.bins,
        lights=arguments.lights,
        drones=arguments.drones,
        interval_cap_s=arguments.interval_cap,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if arguments.seconds is not None:
        loop.call_later(arguments.seconds, stop.set)
    arguments.log.mkdir(parents=True, exist_ok=True)
    started = time.time_ns() // 1000
    counts = await run(
        town,
        broker=SimulatorBroker(host=arguments.host, port=arguments.port, speed=arguments.speed),
        now=lambda: started + round((time.time_ns() // 1000 - started) * arguments.speed),
        publish_log=arguments.log / "publish.jsonl",
        fault_log=arguments.log / "faults.jsonl",
        stop=stop,
    )
    print(counts)


if __name__ == "__main__":
    main()
