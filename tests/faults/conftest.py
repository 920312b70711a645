"""The plant that each fault test breaks, and the seed it says it used."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nabd.embedded.postgres import EmbeddedPostgres
from tests import databases
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


@pytest.fixture
async def other_plant(
    postgres_server: EmbeddedPostgres, migrated_template: str, tmp_path: Path, seed: int
) -> AsyncIterator[Plant]:
    """A second plant beside the first, to compare with."""
    name = databases.create_database(postgres_server, migrated_template)
    directory = tmp_path / "other"
    directory.mkdir()
    with Mosquitto(directory, persistent=True) as broker:
        plant = Plant(dsn=postgres_server.dsn(name), broker=broker, directory=directory, seed=seed)
        await plant.found()
        yield plant
        plant.close()
    databases.drop_database(postgres_server, name)


@dataclass(frozen=True, slots=True)
class OwnServer:
    """A database server that nobody else uses, so that it may be broken."""

    server: EmbeddedPostgres
    template: str


@pytest.fixture(scope="module")
def own_server() -> Iterator[OwnServer]:
    """One for the tests of a module, which leave it running."""
    directory = Path(tempfile.mkdtemp(prefix="nabd-test-"))
    server = EmbeddedPostgres(directory / "postgres", settings=databases.FAST)
    server.start()
    try:
        yield OwnServer(server, databases.create_template(server))
    finally:
        server.delete()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
async def server_plant(
    own_server: OwnServer, mosquitto: Mosquitto, tmp_path: Path, seed: int
) -> AsyncIterator[Plant]:
    """A plant whose database server may be killed, stopped and frozen."""
    name = databases.create_database(own_server.server, own_server.template)
    plant = Plant(dsn=own_server.server.dsn(name), broker=mosquitto, directory=tmp_path, seed=seed)
    await plant.found()
    yield plant
    plant.close()
    databases.drop_database(own_server.server, name)
