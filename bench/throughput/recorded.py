"""Stage a: what a message costs ingest itself, step by step, from a recorded stream and without I/O."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import mqtt5
import numpy as np

from bench.throughput import evaluation
from bench.throughput.fleet import MUNICIPALITY, BenchFleet
from bench.throughput.traffic import Stream
from devices.columns import Columns
from devices.compiled.part import Function
from devices.kinds import Kinds
from devices.registry.registry import Device, Municipality, Registry
from devices.wire import Decoder, Kernel, Splitter
from ingest.broker.hearing import Hearing
from ingest.broker.intake import Intake
from ingest.broker.session import Connection, IngestBroker
from ingest.commit.rows import copy_columns
from ingest.commit.settled import Settled, count, receipts
from ingest.decide.batch import decide
from ingest.decide.clocks import Offsets
from ingest.decide.directory import Directory
from readings.tables import table_of
from rules.definition.definition import Definition
from rules.engine.evaluate import EXACT
from store.copy import encode, order

RETENTION = 90 * 86_400_000_000
CHUNK = 64 * 1024
"""Bytes the event loop hands over at once when many are waiting."""


class RowsMissing(Exception):
    """Not every reading of a stream became a row: what a message costs cannot be told."""


@dataclass(slots=True)
class StepTimes:
    """CPU seconds by step."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add what happens inside to a step."""
        start = time.process_time()
        yield
        self.seconds[step] = self.seconds.get(step, 0.0) + time.process_time() - start

    def per_message(self, messages: int) -> dict[str, float]:
        """Return microseconds of CPU per message by step, and their sum."""
        found = {step: round(s / messages * 1e6, 2) for step, s in self.seconds.items()}
        return {**found, "sum": round(sum(self.seconds.values()) / messages * 1e6, 2)}


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedBatch:
    """What one COPY into one table sends; `number` is that of the batch asked for, which may take several."""

    number: int
    table: str
    names: list[str]
    data: bytes
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRun:
    """What a recorded stream came to.

    cpu_us: per message, by step. decode_us: decoding alone, exactly and with compiled code, in turns; empty
    without any. rule_readings_per_s: rows times rules in a CPU second, by kind. encoded:
    what COPY would send, every reading once.
    """

    cpu_us: dict[str, float]
    rule_readings_per_s: dict[str, float]
    encoded: list[EncodedBatch]
    decode_us: dict[str, float] = field(default_factory=dict)


def registry_of(fleet: BenchFleet) -> Registry:
    """Return the fleet as the database's registry would know it; device ids count from 1."""
    town = Municipality(
        id=1,
        name=MUNICIPALITY,
        title={},
        time_zone="UTC",
        locale="en",
        weekend=(6, 7),
        lat=None,
        lon=None,
        register_unknown=False,
    )
    devices = [
        Device(id=i + 1, name=fleet.name(i), kind=fleet.kind(i), municipality=MUNICIPALITY, municipality_id=1)
        for i in range(fleet.size)
    ]
    return Registry(
        devices={d.id: d for d in devices},
        by_name={d.name: d for d in devices},
        municipalities={MUNICIPALITY: town},
    )


def _recorded(
    stream: Stream, steps: StepTimes, batch_messages: int, kernel: Kernel | None
) -> list[tuple[int, Intake]]:
    """Parse the stream beside whatever event loop there may be."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, _intakes(stream, steps, batch_messages, kernel)).result()


async def _intakes(
    stream: Stream, steps: StepTimes, batch_messages: int, kernel: Kernel | None
) -> list[tuple[int, Intake]]:
    """Parse the stream as ingest's session does and take batches of it, each with its number.

    A session gives fewer messages than asked for where they may hold many elements: a batch can be several.
    """
    received = int(stream.at.max())
    connection = Connection(IngestBroker(host="", port=0, client_id=""), Hearing(), lambda: received, kernel)
    found: list[tuple[int, Intake]] = []
    after = 0
    for number, start in enumerate(range(0, len(stream), batch_messages)):
        data = _packets(stream, start, min(start + batch_messages, len(stream)))
        with steps.timed("parse"):
            for offset in range(0, len(data), CHUNK):
                connection.data_received(data[offset : offset + CHUNK])
            while (intake := connection.take(batch_messages, after)) is not None:
                after = int(intake.received_at[-1])
                found.append((number, intake))
    return found


def _packets(stream: Stream, start: int, stop: int) -> bytes:
    return b"".join(
        mqtt5.PublishPacket(
            stream.topics[i], stream.payloads[i], qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=i % 65_535 + 1
        ).write()
        for i in range(start, stop)
    )


def run(
    stream: Stream,
    fleet: BenchFleet,
    kinds: Kinds,
    rules: Sequence[Definition],
    batch_messages: int,
    kernel: Kernel | None = None,
    functions: Mapping[str, Function] = EXACT,
) -> RecordedRun:
    """Take the stream through every step that needs no I/O.

    Args:
        kernel: compiled code to decide with; None: it is decided exactly.
        functions: compiled ones for rules.

    Raises:
        RowsMissing: there are not as many rows as readings that are no repeats.
    """
    steps = StepTimes()
    registry = registry_of(fleet)
    directory = Directory(registry, kinds)
    evaluating = evaluation.begin(rules, kinds, registry, functions)
    for topic in set(stream.topics):
        directory.source(topic)
    decoders = {name: Decoder(kind, kernel) for name, kind in kinds.items()}
    exact = {name: Decoder(kind) for name, kind in kinds.items()}
    decoding = StepTimes()
    offsets = Offsets()
    encoded: list[EncodedBatch] = []
    seen: set[tuple[str, int, int]] = set()
    for number, intake in _recorded(stream, steps, batch_messages, kernel):
        with steps.timed("decide"):
            batch = decide(intake, directory, decoders, offsets, RETENTION, Splitter(kernel))
        for kind, origins in batch.origins.items() if kernel else ():
            for name, both in (("exact", exact), ("compiled", decoders)):
                with decoding.timed(name):
                    both[kind].decode(origins.group.payloads)
        settled = Settled(stored={kind: _new(a.columns, seen) for kind, a in batch.accepted.items()})
        with steps.timed("encode"):
            encoded += [_encode(number, columns) for columns in settled.stored.values()]
        with steps.timed("count"):
            count(settled, batch, directory, shard="main", number=1)
            receipts(settled, batch, directory)
        for columns in settled.stored.values():
            evaluating.evaluate(columns)
    rows, expected = sum(one.rows for one in encoded), stream.readings - stream.repeats
    if rows != expected:
        raise RowsMissing(f"{expected} readings that are no repeats became {rows} rows")
    steps.seconds["evaluate"] = evaluating.seconds
    return RecordedRun(
        cpu_us=steps.per_message(len(stream)),
        rule_readings_per_s=evaluating.per_s(),
        encoded=encoded,
        decode_us={name: round(s / len(stream) * 1e6, 2) for name, s in decoding.seconds.items()},
    )


def _new(columns: Columns, seen: set[tuple[str, int, int]]) -> Columns:
    """Return the rows not seen in an earlier batch."""
    kind = columns.kind.name
    keys = [
        (kind, *key) for key in zip(columns.device_id.tolist(), columns.observed_at.tolist(), strict=True)
    ]
    new = np.array([key not in seen for key in keys], dtype=np.bool_)
    seen.update(keys)
    return columns if new.all() else columns.take(new)


def _encode(number: int, columns: Columns) -> EncodedBatch:
    ordered = order(copy_columns(columns))
    return EncodedBatch(
        number=number,
        table=table_of(columns.kind).name,
        names=[c.name for c in ordered],
        data=encode(ordered, len(columns)),
        rows=len(columns),
    )
