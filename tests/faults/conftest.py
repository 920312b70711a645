"""The plant that each fault test breaks, and the seed it says it used."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.brokers import Mosquitto
from tests.faults.plant import LONG, Plant


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long form takes its time."""
    if LONG:
        here = Path(__file__).parent
        for item in items:
            if here in item.path.parents:
                item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture
def seed() -> int:
    """What the test's chance starts from: NABD_FAULTS_SEED, or 1; printed, to repeat a failure with."""
    number = int(os.environ.get("NABD_FAULTS_SEED", "1"))
    print(f"NABD_FAULTS_SEED={number}")
    return number


@pytest.fixture
async def plant(dsn: str, mosquitto: Mosquitto, tmp_path: Path, seed: int) -> AsyncIterator[Plant]:
    """Forty bins in Tripoli, a mosquitto with persistence, a database of its own; nothing ingests yet."""
    plant = Plant(dsn=dsn, broker=mosquitto, directory=tmp_path, seed=seed)
    await plant.found()
    yield plant
    plant.close()
