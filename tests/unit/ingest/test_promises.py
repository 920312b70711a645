"""The promises as invariants: devices send and repeat, things are reordered and dropped, everything crashes.

The session, the decisions, receipts and the ledger's line are the real ones; the broker and the table are
models. What a database and a process do to this is in tests/faults.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, cast

import mqtt5
import msgspec
import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ingest.broker.hearing import Hearing
from ingest.broker.intake import Intake
from ingest.broker.session import Connection, IngestBroker
from ingest.commit.settled import Settled, count, receipts
from ingest.decide.batch import Batch, decide
from ingest.decide.clocks import Offsets
from tests.bad_input import RECEIVED_AT, RETENTION
from tests.unit.ingest.test_any_bytes import DECODERS, directory, said, topic

Message = tuple[str, bytes]
WINDOW = 4
DEVICES = ("b1", "l1")
"""The first keeps its readings until a receipt comes, the second forgets them at the broker's word."""


class Wire:
    """A transport that hands what ingest writes to the broker."""

    def __init__(self, broker: ModelBroker) -> None:
        self._broker = broker
        self.closed = False

    def write(self, data: bytes) -> None:
        if self.closed:
            return
        offset = 0
        while offset < len(data):
            packet, length = mqtt5.read(memoryview(data)[offset:])
            offset += length
            if isinstance(packet, mqtt5.PubAckPacket):
                self._broker.acknowledged(packet.packet_id)
            elif isinstance(packet, mqtt5.PublishPacket):
                self._broker.receipts.append(bytes(packet.payload))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class ModelBroker:
    """A persistent session: a queue, packet ids in flight, and what it forgot because it was told to."""

    def __init__(self) -> None:
        self.queue: deque[Message] = deque()
        self.in_flight: dict[int, Message] = {}
        self.forgotten: list[Message] = []
        self.receipts: list[bytes] = []
        self._next_id = 0

    def acknowledged(self, packet_id: int) -> None:
        message = self.in_flight.pop(packet_id, None)
        if message is not None:
            self.forgotten.append(message)

    def deliver(self, connection: Connection, most: int) -> None:
        while self.queue and len(self.in_flight) < WINDOW and most:
            most -= 1
            self._next_id = self._next_id % 7 + 1  # few ids, so that old ones come back soon
            while self._next_id in self.in_flight:
                self._next_id = self._next_id % 7 + 1
            self.in_flight[self._next_id] = self.queue.popleft()
            connection.data_received(_publish(self._next_id, self.in_flight[self._next_id]))

    def resume(self, connection: Connection) -> None:
        """Send again, on a new connection and with their old ids, what is not acknowledged."""
        for packet_id, message in self.in_flight.items():
            connection.data_received(_publish(packet_id, message))

    def forget_everything(self) -> None:
        self.queue.clear()
        self.in_flight.clear()
        self._next_id = 0


def _publish(packet_id: int, message: Message) -> bytes:
    packet = mqtt5.PublishPacket(*message, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=packet_id)
    return packet.write()


class Promises(RuleBasedStateMachine):
    """One ingest, one broker, two devices."""

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.broker = ModelBroker()
        self.offsets = Offsets()
        self.table: dict[tuple[int, int], float] = {}
        self.sent: dict[Message, tuple[str, int]] = {}
        self.kept: dict[tuple[str, int], Message] = {}
        self.ledger = {"received": 0, "stored": 0, "duplicate": 0, "rejected": 0}
        self.amnesia = False
        self.seq = 0
        self.newest = RECEIVED_AT
        self.pending: tuple[Intake, Batch] | None = None
        self.committed: tuple[Intake, list[tuple[str, bytes]]] | None = None
        self.connect()

    def connect(self) -> None:
        """Let ingest connect; the broker sends again what it holds."""

        async def make() -> Connection:
            connection = Connection(
                IngestBroker(host="model", port=0, client_id="model"), Hearing(), lambda: self.newest
            )
            connection.ready.set_result(True)
            return connection

        self.connection = self.loop.run_until_complete(make())
        self.connection._transport = cast(asyncio.Transport, Wire(self.broker))
        self.run(self.broker.resume, self.connection)

    def run(self, work: Any, *arguments: Any) -> None:
        """Call something that expects a running loop."""

        async def call() -> None:
            work(*arguments)

        self.loop.run_until_complete(call())

    @rule(device=st.sampled_from(DEVICES))
    def send(self, device: str) -> None:
        self.seq += 1
        ts = RECEIVED_AT // 1000 - 100_000 + self.seq
        name = "fill_pct" if device == "b1" else "power_w"
        payload = said({"ts": ts, "boot": 1, "seq": self.seq, name: self.seq})
        message = (topic(device), payload)
        self.sent[message] = (device, self.seq)
        self.kept[device, self.seq] = message
        self.broker.queue.append(message)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        self.broker.queue.append(data.draw(st.sampled_from(list(self.sent))))

    @precondition(lambda self: len(self.broker.queue) > 1)
    @rule(data=st.data())
    def reorder(self, data: st.DataObject) -> None:
        self.broker.queue = deque(data.draw(st.permutations(list(self.broker.queue))))

    @rule(garbage=st.binary(max_size=20))
    def send_garbage(self, garbage: bytes) -> None:
        self.broker.queue.append((topic("b1"), garbage))

    @rule(most=st.integers(1, WINDOW))
    def deliver(self, most: int) -> None:
        self.run(self.broker.deliver, self.connection, most)

    @precondition(lambda self: self.pending is None and self.committed is None)
    @rule(most=st.integers(1, WINDOW))
    def take(self, most: int) -> None:
        intake = self.connection.take(most, self.newest)
        if intake is not None:
            self.newest = int(intake.received_at[-1])
            self.pending = (intake, decide(intake, directory(), DECODERS, self.offsets, RETENTION))

    @precondition(lambda self: self.pending is not None)
    @rule()
    def commit(self) -> None:
        assert self.pending is not None
        intake, batch = self.pending
        settled = Settled(refused=list(batch.refused), learnt=batch.learnt)
        for kind, accepted in batch.accepted.items():
            columns = accepted.columns
            value = columns.values["fill_pct" if kind == "bin" else "power_w"]
            keys = list(zip(columns.device_id.tolist(), columns.observed_at.tolist(), strict=True))
            new = [key not in self.table for key in keys]
            for key, row_is_new, v in zip(keys, new, value.tolist(), strict=True):
                assert row_is_new or self.table[key] == v or v != v
                self.table.setdefault(key, v)
            mask = np.array(new, dtype=np.bool_)
            settled.stored[kind] = columns.take(mask)
            settled.duplicates += [columns.take(~mask), accepted.repeats]
        counts = count(settled, batch, directory(), shard="main", number=1)
        for name in self.ledger:
            self.ledger[name] += getattr(counts, name)
        self.offsets.adopt(settled.learnt)
        self.pending, self.committed = None, (intake, receipts(settled, batch, directory()))

    @precondition(lambda self: self.committed is not None)
    @rule()
    def acknowledge(self) -> None:
        """As ingest.service does after a commit."""
        assert self.committed is not None
        intake, earned = self.committed
        self.committed = None
        if intake.connection is self.connection:
            self.run(self.connection.acknowledge, intake.packet_ids)
            self.run(self.connection.publish, earned)

    @rule()
    def lose_the_connection(self) -> None:
        """What is being committed goes on; a new connection is made."""
        self.run(self.connection.connection_lost, None)
        self.connect()

    @rule()
    def crash(self) -> None:
        self.pending = self.committed = None
        self.lose_the_connection()

    @rule()
    def broker_forgets(self) -> None:
        self.amnesia = True
        self.broker.forget_everything()
        self.lose_the_connection()

    @rule()
    def devices_hear(self) -> None:
        """Receipts reach the device that waits for them."""
        for payload in self.broker.receipts:
            receipt = msgspec.json.decode(payload)
            for first, last in receipt["seq"]:
                for seq in range(first, last + 1):
                    self.kept.pop((receipt["device"], seq), None)
        self.broker.receipts.clear()

    @rule()
    def devices_resend(self) -> None:
        """The device that waits for receipts says again what it has none for."""
        self.broker.queue += [m for (device, _), m in self.kept.items() if device == "b1"]

    @invariant()
    def acknowledged_means_committed(self) -> None:
        if hasattr(self, "broker"):
            stored = {value for value in self.table.values() if value == value}
            assert all(float(self.sent[m][1]) in stored for m in self.broker.forgotten if m in self.sent), (
                "the broker was told to forget what is not stored"
            )

    @invariant()
    def settled_means_committed(self) -> None:
        if hasattr(self, "broker"):
            stored = {value for value in self.table.values() if value == value}
            missing = {seq for device, seq in self.sent.values() if (device, seq) not in self.kept} - stored
            assert not missing, "a device was told to forget what is not stored"

    @invariant()
    def the_ledger_balances(self) -> None:
        if hasattr(self, "broker"):
            counted = self.ledger
            assert counted["received"] == counted["stored"] + counted["duplicate"] + counted["rejected"]
            assert counted["stored"] == len(self.table)

    def teardown(self) -> None:
        if not hasattr(self, "broker"):
            return
        self.devices_hear()
        self.devices_resend()
        for _ in range(3 * (len(self.broker.queue) + WINDOW)):
            self.run(self.broker.deliver, self.connection, WINDOW)
            if self.pending is None and self.committed is None:
                self.take(WINDOW)
            if self.pending is not None:
                self.commit()
            if self.committed is not None:
                self.acknowledge()
        assert not self.broker.queue
        stored = {value for value in self.table.values() if value == value}
        for device, seq in self.sent.values():
            assert seq in stored or (self.amnesia and device == "l1")
        self.loop.close()


TestPromises = Promises.TestCase
TestPromises.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_the_model_sees_an_acknowledgement_across_connections() -> None:
    """The negative control: a build that answers with old packet ids breaks an invariant."""
    machine = Promises()
    machine.begin()
    machine.send("b1")
    machine.deliver(1)
    machine.take(1)
    machine.commit()
    machine.broker_forgets()
    machine.send("l1")
    machine.deliver(1)
    assert machine.committed is not None

    machine.run(machine.connection.acknowledge, machine.committed[0].packet_ids)

    with pytest.raises(AssertionError, match="forget what is not stored"):
        machine.acknowledged_means_committed()
    machine.loop.close()
