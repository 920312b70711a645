"""A device leaves junk behind below its topics: the broker stays within its memory, and people are told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from nabd import doctor
from nabd.doctor import CheckResult, Verdict
from nabd.settings import Settings
from tests.brokers import Mosquitto
from tests.faults.plant import resident_mb
from tests.parts import need_mosquitto
from tests.waiting import eventually

pytestmark = pytest.mark.attack("junk that stays at the broker")

LIMIT_MB = 24
JUNK = b"\x00" * 250_000


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker with little memory that says every second what it holds."""
    need_mosquitto()
    with Mosquitto(tmp_path, settings=f"sys_interval 1\nmemory_limit {LIMIT_MB * 2**20}\n") as broker:
        yield broker


def device(broker: Mosquitto) -> aiomqtt.Client:
    """Return a device that is told when a packet is not taken."""
    return aiomqtt.Client(
        broker.host,
        broker.port,
        identifier="BIN-1",
        protocol=aiomqtt.ProtocolVersion.V5,
        timeout=5,
    )


async def leave_behind(broker: Mosquitto) -> int:
    """Leave junk behind until the broker takes no more; return how many messages it took."""
    client, left = device(broker), 0
    try:
        async with client as hostile:
            for number in range(300):
                await hostile.publish(f"nabd/v1/x{number}/bin/BIN-1/telemetry", JUNK, qos=1, retain=True)
                left += 1
    except aiomqtt.MqttError:
        client._disconnected.exception()
    return left


async def test_junk_of_one_device_is_bounded_and_told(broker: Mosquitto, tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]  # pydantic-settings' own argument, unknown to its types
        broker=f"mqtt://{broker.host}:{broker.port}",
        broker_memory_mb=LIMIT_MB,
        data_dir=tmp_path,
    )
    left = await leave_behind(broker)

    async def told() -> CheckResult | None:
        found = next(f for f in await doctor.examine(settings) if f.subject == "broker")
        return found if found.verdict is Verdict.BAD else None

    found = await eventually(told)
    print(f"{left} x {len(JUNK)} bytes left behind, {resident_mb(broker.pid):.0f} MB in use: {found.said}")

    assert LIMIT_MB / 2 < left * len(JUNK) / 2**20 < LIMIT_MB
    assert resident_mb(broker.pid) < 2.5 * LIMIT_MB
    assert "of memory" in found.said
