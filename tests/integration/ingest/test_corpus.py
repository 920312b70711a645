"""Every case of tests/golden/bad through a real broker, in one stream with good traffic.

Every answer is met, nothing good is lost, and the ledger balances at the end.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Self, cast

import mqtt5

from devices.instants import to_datetime
from devices.kinds.kind import CLOCK_CORRECTED, UNDATED
from devices.registry.municipalities import NewMunicipality, add_municipality
from devices.registry.registration import NewDevice, add_devices
from store.audit import PLATFORM
from store.pool import connect
from tests.bad_input import RECEIVED_AT, RETENTION, Case, cases
from tests.brokers import Mosquitto
from tests.integration.ingest.conftest import KINDS, Town

CASES = cases()
NOBODY = 0x10
GOOD_EVERY_MS = 1000


class Publisher(asyncio.Protocol):
    """A client that says exactly what it is told, broken names included, and reports what it is answered."""

    def __init__(self) -> None:
        self.answers: asyncio.Queue[int | None] = asyncio.Queue()
        self.closed = False
        self._tail = b""
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def connected(cls, port: int) -> Self:
        """Return one that is connected."""
        loop = asyncio.get_running_loop()
        _, publisher = await loop.create_connection(cls, "127.0.0.1", port)
        await asyncio.wait_for(publisher.answers.get(), 5)
        return publisher

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(mqtt5.ConnectPacket("corpus", clean_start=True, keep_alive=60).write())

    def data_received(self, data: bytes) -> None:
        data, offset = self._tail + data, 0
        try:
            while offset < len(data):
                packet, length = mqtt5.read(memoryview(data)[offset:])
                offset += length
                if isinstance(packet, mqtt5.PubAckPacket | mqtt5.ConnAckPacket):
                    self.answers.put_nowait(int(packet.reason_code))
        except IndexError:
            pass
        self._tail = data[offset:]

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self.answers.put_nowait(None)

    async def publish(self, topic: str, payload: bytes, says: Mapping[str, object]) -> int | None:
        """Publish at QoS 1; return the reason code of the PUBACK, None when the broker hung up."""
        assert self._transport is not None
        name, content_type = topic.encode(), says.get("content_type")
        packet = mqtt5.PublishPacket(
            "x" * len(name), payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=1,
            retain=bool(says.get("retain")), content_type=None if content_type is None else str(content_type),
        )  # fmt: skip
        # The codec would not write the names that devices must not use.
        self._transport.write(packet.write().replace(b"x" * len(name), name, 1))
        return await asyncio.wait_for(self.answers.get(), 10)

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()


def clock() -> Callable[[], int]:
    """Return a clock that starts when the cases were observed."""
    started = time.monotonic_ns() // 1000
    return lambda: RECEIVED_AT + time.monotonic_ns() // 1000 - started


async def register(dsn: str) -> None:
    """Register what the cases assume."""
    now = clock()
    connection = await connect(dsn)
    try:
        await add_municipality(connection, NewMunicipality(name="tripoli"), now, by=PLATFORM)
        devices = [("good", "bin", None), *(device for case in CASES for device in case.devices)]
        new = [
            NewDevice(name=name, kind=kind, municipality="tripoli", parent=parent)
            for name, kind, parent in devices
        ]
        await add_devices(connection, KINDS, new, now, by=PLATFORM)
        retired = [case.name for case in CASES if case.says.get("retired")]
        await connection.execute(
            "UPDATE device SET retired_at = now(), retired_reason = 'gone' WHERE name = ANY($1)", retired
        )
    finally:
        await connection.close()


async def send(port: int) -> tuple[dict[str, set[int | None]], int]:
    """Send every case, a good reading before each message; return the answers by case, and how many good."""
    publisher = await Publisher.connected(port)
    answers: dict[str, set[int | None]] = {}
    good = 0
    for case in CASES:
        for payload in case.payloads:
            if publisher.closed:
                publisher = await Publisher.connected(port)
            reading = b'{"ts": %d, "boot": 1, "seq": %d, "fill_pct": 50}' % (
                RECEIVED_AT // 1000 - GOOD_EVERY_MS * (good + 1),
                good,
            )
            code = await publisher.publish("nabd/v1/tripoli/bin/good/telemetry", reading, {})
            assert code == 0
            good += 1
            code = await publisher.publish(case.topic, payload, case.says)
            answers.setdefault(case.name, set()).add(code)
    publisher.close()
    return answers, good


async def test_every_case_is_answered_as_it_says_and_nothing_good_is_lost(
    dsn: str, mosquitto: Mosquitto
) -> None:
    await register(dsn)
    connection = await connect(dsn)
    town = Town(dsn=dsn, broker=mosquitto, connection=connection)
    try:
        await town.start(now=clock(), retention=RETENTION)
        answers, good = await send(mosquitto.port)
        arriving = [case for case in CASES if case.arrives]
        await town.received(good + sum(case.readings for case in arriving))
        await town.shut_down()  # what is retained must not come again with the next subscription
        await town.start(now=clock(), retention=RETENTION)
        sums = await town.received(good + sum(case.readings for case in arriving))

        expected = {"closed": {None}, "nobody": {NOBODY}, None: {0}}
        assert {c.name: answers[c.name] for c in CASES} == {
            c.name: expected[c.says.get("answer")] for c in CASES
        }
        assert sums["stored"] == good + sum(case.stored for case in arriving)
        assert sums["duplicate"] == sum(case.says.get("duplicates", 0) for case in arriving)
        assert sums["undated"] == sum(case.says.get("undated", 0) for case in arriving)
        assert await stored_by_device(town) == expected_by_device(arriving, good)
        assert await refused_by_device(town) == expected_refusals(arriving)
        assert await unbalanced(town) == 0
        for case in arriving:
            await check_rows(town, case)
    finally:
        await town.shut_down()
        await connection.close()


async def stored_by_device(town: Town) -> Counter[str]:
    counted: Counter[str] = Counter()
    for kind in KINDS:
        rows = await town.connection.fetch(
            f"SELECT d.name, count(*) AS n FROM {kind}_reading AS r"
            " INNER JOIN device AS d ON d.id = r.device_id GROUP BY d.name"
        )
        counted.update({row["name"]: row["n"] for row in rows})
    return counted


def expected_by_device(arriving: list[Case], good: int) -> Counter[str]:
    counted = Counter({"good": good})
    for case in arriving:
        counted[str(case.says.get("device", case.name))] += case.says.get("stored", 0)
        counted[f"{case.name}-below"] += case.says.get("stored_below", 0)
    return +counted


async def refused_by_device(town: Town) -> Counter[tuple[str, str, str]]:
    rows = await town.connection.fetch("SELECT device, reason, pointer, topic FROM rejection ORDER BY id")
    return Counter((_named(row["device"]), row["reason"], row["pointer"]) for row in rows)


def _named(device: str) -> str:
    return "cut" if device.endswith("…") else device


def expected_refusals(arriving: list[Case]) -> Counter[tuple[str, str, str]]:
    refused: Counter[tuple[str, str, str]] = Counter()
    for case in arriving:
        name = (
            "cut"
            if case.says.get("cut")
            else case.says.get("rejected_of", case.says.get("device", case.name))
        )
        refused.update((name, reason, pointer) for reason, pointer in case.rejected)
    return refused


async def unbalanced(town: Town) -> int:
    """Return how far the ledger is from what the tables hold."""
    counted = sum((await stored_by_device(town)).values())
    ledger = await town.connection.fetchval(
        "SELECT sum(stored) FROM ledger WHERE received = stored + duplicate + rejected"
    )
    return int(ledger) - counted


async def check_rows(town: Town, case: Case) -> None:
    """Look at what is stored of a case: marks, unknown names, and the instant."""
    if not case.says.get("stored"):
        return
    kind = KINDS[case.kind]
    rows = await town.connection.fetch(
        f"SELECT r.* FROM {kind.name}_reading AS r"
        " INNER JOIN device AS d ON d.id = r.device_id WHERE d.name = $1",
        case.name,
    )
    for key, bit in (("undated", UNDATED), ("corrected", CLOCK_CORRECTED)):
        assert sum(row["quality"] & bit != 0 for row in rows) == case.says.get(key, 0), case.name
    suspect = {m.name for m in kind.measurements for row in rows if row["quality"] >> m.bit & 1}
    assert suspect == set(case.says.get("suspect", ())), case.name
    extra = {name for row in rows for name in row["extra"] or ()}
    assert len(extra) == case.says.get("names", len(case.says.get("extra", ()))), case.name
    if "observed" in case.says:
        assert rows[0]["observed_at"].isoformat() == case.says["observed"].replace("Z", "+00:00")
    newest = to_datetime(RECEIVED_AT + 600_000_000)
    assert all(row["observed_at"] < newest for row in rows), case.name
