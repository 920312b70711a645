"""Ingest in a process of its own that dies, waits or cheats exactly where a test tells it to.

`ingest.service.run` with the IngestOptions of `nabd ingest`; a fork of a warm server, so that dozens of kills
cost seconds. What it cheats in is in `builds`.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import uvloop

from devices import kinds
from devices.wire import Kernel
from ingest.broker import jetstream, session
from ingest.broker.session import IngestBroker
from ingest.commit.consumers import BatchConsumer
from ingest.service import IngestOptions, run
from nabd import logs
from rules.live.consumer import LiveRules
from store import pool
from store.connection import Connection
from store.pool import connect
from tests.compiled import compiled, compiled_functions
from tests.faults import builds

STEPS = ("fenced", "readings", "ledger", "consumed", "committed", "acknowledged")
"""Between every two of them a process may die."""

T = TypeVar("T")

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.faults.runner"])


def now() -> int:
    """Return the wall clock in microseconds."""
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one process of ingest does.

    die_at, hold_at: a step's name and its how manieth time, counted from 1. Held, the process touches
    `held` and waits until `go` exists. impatient: a database that has not answered for 3 s is away.
    compiled: whether it works with compiled code.
    """

    dsn: str
    port: int
    client_id: str
    directory: Path
    shard: str = "main"
    build: str = "sound"
    die_at: tuple[str, int] | None = None
    hold_at: tuple[str, int] | None = None
    batch_messages: int = 200
    receive_maximum: int = 1000
    keep_alive_s: int = 4
    rules: bool = True
    impatient: bool = False
    jetstream: bool = False
    compiled: bool = False

    @property
    def held(self) -> Path:
        """Exists once the process waits at its step."""
        return self.directory / "held"

    @property
    def go(self) -> Path:
        """Lets a waiting process go on."""
        return self.directory / "go"


def start(plan: Plan) -> ForkServerProcess:
    """Start ingest by a plan; it ends with its own signal, or with SIGTERM."""
    plan.directory.mkdir(parents=True, exist_ok=True)
    process = _context.Process(target=_main, args=(plan,), daemon=True)
    process.start()
    return process


def beside(work: Callable[[T], None], plan: T) -> ForkServerProcess:
    """Do something else in a process of its own."""
    process = _context.Process(target=work, args=(plan,), daemon=True)
    process.start()
    return process


def _main(plan: Plan) -> None:
    with (plan.directory / "ingest.log").open("ab", buffering=0) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    logs.configure("ingest")
    builds.BUILDS[plan.build]()
    uvloop.run(_run(plan))


async def _run(plan: Plan) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    declared = kinds.load()

    if plan.impatient:
        pool.ANSWER_GRACE_S = 2.0

    async def open_database() -> Connection:
        if plan.impatient:
            return await connect(plan.dsn, statement_timeout_s=1, timeout_s=2)
        return await connect(plan.dsn)

    functions = compiled_functions() if plan.compiled else None
    consumers: list[BatchConsumer] = [LiveRules(declared, functions)] if plan.rules else []
    options = IngestOptions(
        broker=IngestBroker(
            host="127.0.0.1", port=plan.port, client_id=plan.client_id,
            keep_alive_s=plan.keep_alive_s, receive_maximum=plan.receive_maximum,
        ),
        open_database=open_database,
        kinds=declared,
        now=now,
        owner=uuid4(),
        shard=plan.shard,
        consumers=consumers,
        batch_messages=plan.batch_messages,
        step=stepping(plan),
        open_session=jetstream.connect if plan.jetstream else session.connect,
        kernel=compiled() if plan.compiled else Kernel(),
    )  # fmt: skip
    await run(options, stop)


def stepping(plan: Plan) -> Callable[[str], None]:
    """Return the hook that dies or waits where the plan says."""
    reached: Counter[str] = Counter()

    def step(name: str) -> None:
        reached[name] += 1
        if plan.hold_at == (name, reached[name]):
            plan.held.touch()
            while not plan.go.exists():
                time.sleep(0.01)
        if plan.die_at == (name, reached[name]):
            os.kill(os.getpid(), signal.SIGKILL)

    return step
