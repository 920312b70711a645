"""Runs the peers: fills a session of each while it is away, starts it, and counts what it has stored."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench import CHECKOUT
from bench.throughput import children, usage
from bench.throughput.children import ChildFailed, child, last_words
from bench.throughput.peers import telegraf
from bench.throughput.rig import Rig
from bench.throughput.traffic import Stream
from devices.wire.topics import Channel, every
from nabd.embedded.broker import Mosquitto
from store.pool import connect

TIMEOUT_S = 600.0

CREATE = """
DROP TABLE IF EXISTS peer_reading;
CREATE TABLE peer_reading (topic text, observed_at timestamptz, payload jsonb)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One run of one peer. Readings: `lost` were never stored, `duplicates` were stored again.

    `absent` says what is missing on this machine, and everything else is 0.
    """

    name: str
    absent: str = ""
    messages: int = 0
    sent: int = 0
    stored: int = 0
    lost: int = 0
    duplicates: int = 0
    messages_per_s: float = 0.0
    cpu_us: float = 0.0


class _Outcome(msgspec.Struct):
    messages: int
    first: float
    last: float
    cpu_s: float


async def program(rig: Rig, dsn: str, stream: Stream, name: str) -> Peer:
    """Run one of the Python peers."""
    with rig.broker() as broker:
        await _python(name, broker, dsn, 0)
        await _fill(rig, broker, stream, name)
        outcome = await _python(name, broker, dsn, len(stream))
    seconds = outcome.last - outcome.first
    return await _counted(name, dsn, stream, seconds, outcome.cpu_s)


async def _python(name: str, broker: Mosquitto, dsn: str, messages: int) -> _Outcome:
    address = broker.address
    module = f"bench.throughput.peers.{name}"
    said = await _run([sys.executable, "-m", module, address.host, str(address.port), dsn, str(messages)])
    return msgspec.json.decode(said, type=_Outcome)


async def pipe(rig: Rig, dsn: str, stream: Stream) -> Peer:
    """Run `mosquitto_sub | psql -c COPY`: no code at all, and no guarantee."""
    absent = [p for p in ("mosquitto_sub", "psql") if shutil.which(p) is None]
    if absent:
        return Peer(
            name="pipe", absent=f"{' and '.join(absent)} (Debian: mosquitto-clients, postgresql-client)"
        )
    with rig.broker() as broker:
        listen = [
            *("mosquitto_sub", "-h", broker.address.host, "-p", str(broker.address.port), "-V", "5"),
            *("-i", "peer-pipe", "-c", "-x", "3600", "-q", "1", "-t", every(Channel.TELEMETRY)),
        ]
        await _run([*listen, "-E"])
        await _fill(rig, broker, stream, "pipe")
        # One COPY, so everything commits at the end; -W gives up when messages are missing.
        sub = shlex.join([*listen, "-F", "%t\\t%p", "-C", str(len(stream)), "-W", "60"])
        copy = shlex.join(["psql", "-q", dsn, "-c", "COPY peer_reading (topic, payload) FROM STDIN"])
        start = time.monotonic()
        cpu = usage.cpu_of_children_s()
        await _run(["/bin/sh", "-c", f"{sub} | {copy}"])
        seconds, cpu = time.monotonic() - start, usage.cpu_of_children_s() - cpu
    return await _counted("pipe", dsn, stream, seconds, cpu)


async def telegraf_peer(rig: Rig, dsn: str, stream: Stream) -> Peer:
    """Run Telegraf, its batch and window raised."""
    path = shutil.which("telegraf")
    if path is None:
        return Peer(name="telegraf", absent="telegraf is not on the PATH")
    directory = rig.directory / "telegraf"
    directory.mkdir()
    with rig.broker() as broker:
        command = telegraf.command(path, directory, broker.address, dsn)
        log = directory / "telegraf.log"
        async with child(command, log):
            await asyncio.sleep(5)  # makes its session; it says nowhere that it has
        await _fill(rig, broker, stream, "telegraf-fill")
        start = time.monotonic()
        async with child(command, log) as process:
            seconds = await _until_stored(dsn, len(stream), lambda: _alive(process, log)) - start
            cpu = usage.cpu_s([process.pid])
    return await _counted("telegraf", dsn, stream, seconds, cpu, table=telegraf.TABLE)


def _alive(process: asyncio.subprocess.Process, log: Path) -> None:
    if process.returncode is not None:
        raise ChildFailed(f"telegraf ended:\n{last_words(log)}")


async def _until_stored(dsn: str, messages: int, check: Callable[[], None]) -> float:
    """Return when the last row was seen."""
    connection = await connect(dsn)
    try:
        stored, moved = 0, time.monotonic()
        while stored < messages and time.monotonic() - moved < 20:
            check()
            there = await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", telegraf.TABLE)
            found = await connection.fetchval(f"SELECT count(*) FROM {telegraf.TABLE}") if there else 0  # noqa: S608 - a constant
            if found != stored:
                stored, moved = found, time.monotonic()
            await asyncio.sleep(0.2)
    finally:
        await connection.close()
    return moved


async def _fill(rig: Rig, broker: Mosquitto, stream: Stream, name: str) -> None:
    address = broker.address
    await children.publish(rig.directory / f"peer-{name}", stream, host=address.host, port=address.port)


async def _run(command: Sequence[str]) -> bytes:
    started = await asyncio.create_subprocess_exec(
        *command, cwd=CHECKOUT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, complaints = await asyncio.wait_for(started.communicate(), TIMEOUT_S)
    if started.returncode:
        raise ChildFailed(f"{command[0]} failed: {complaints.decode(errors='replace')[-2000:]}")
    return said


_DISTINCT = """
SELECT count(DISTINCT (topic, coalesce(observed_at::text, payload::text))) FROM peer_reading
"""


async def _counted(
    name: str, dsn: str, stream: Stream, seconds: float, cpu_s: float, *, table: str = "peer_reading"
) -> Peer:
    """Count what is stored. The pipe and Telegraf keep messages whole, so messages are counted there."""
    connection = await connect(dsn, statement_timeout_s=0)
    try:
        stored = await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - a constant
        distinct = await connection.fetchval(_DISTINCT) if table == "peer_reading" else stored
        await connection.execute(CREATE)
    finally:
        await connection.close()
    whole = name not in ("naive", "careful")
    sent = len(stream) if whole else stream.readings
    messages = len(set(zip(stream.topics, stream.payloads, strict=True)))
    different = messages if whole else stream.readings - stream.repeats
    return Peer(
        name=name,
        messages=len(stream),
        sent=sent,
        stored=stored,
        lost=max(0, different - distinct),
        duplicates=stored - distinct,
        messages_per_s=len(stream) / seconds,
        cpu_us=cpu_s / len(stream) * 1e6,
    )


async def run(rig: Rig, dsn: str, stream: Stream, slow: Stream, tell: Callable[[str], None]) -> list[Peer]:
    """Run every peer, the slow ones on the shorter stream."""
    connection = await connect(dsn)
    try:
        await connection.execute(CREATE)
    finally:
        await connection.close()
    found = []
    for name in ("naive", "careful"):
        tell(name)
        found.append(await program(rig, dsn, slow, name))
    tell("mosquitto_sub | psql")
    found.append(await pipe(rig, dsn, stream))
    tell("telegraf")
    found.append(await telegraf_peer(rig, dsn, stream))
    return found
