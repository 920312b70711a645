"""`python -m firmware_sim`: a simulated town against any broker, for firmware engineers.

A process edge: reads the wall clock and the command line; everything else takes them as arguments.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import signal
import time
from pathlib import Path

from devices import kinds
from firmware_sim.fleet import run
from firmware_sim.link import Broker
from firmware_sim.town import PLACES, make_town


def main() -> None:
    """Parse arguments and run until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m firmware_sim", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--municipality", choices=sorted(PLACES), default="tripoli")
    parser.add_argument("--seed", type=int, default=None, help="same seed, same town (default: random)")
    parser.add_argument("--bins", type=int, default=30)
    parser.add_argument("--lights", type=int, default=24)
    parser.add_argument("--drones", type=int, default=3)
    parser.add_argument(
        "--interval-cap", type=float, default=None, help="longest reporting interval, seconds"
    )
    parser.add_argument("--kinds", type=Path, default=None, help="directory of TOML kinds")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds per second")
    parser.add_argument(
        "--for", dest="seconds", type=float, default=None, help="stop after this many seconds"
    )
    parser.add_argument("--log", type=Path, default=Path("simulator"), help="directory for the two logs")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> None:
    seed = random.randrange(1 << 31) if arguments.seed is None else arguments.seed
    town = make_town(
        seed,
        kinds.load(arguments.kinds),
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
        broker=Broker(host=arguments.host, port=arguments.port, speed=arguments.speed),
        now=lambda: started + round((time.time_ns() // 1000 - started) * arguments.speed),
        publish_log=arguments.log / "publish.jsonl",
        fault_log=arguments.log / "faults.jsonl",
        stop=stop,
    )
    print(counts)


if __name__ == "__main__":
    main()
