"""Fixtures every test may ask for: real databases and real brokers.

What a machine may lack, and what happens then, is in tests/parts.py.
"""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from nabd import logs
from nabd.embedded.broker import IotCore, find_mosquitto
from nabd.embedded.postgres import EmbeddedPostgres
from store.pool import connect, name_of, open_pool
from tests import databases, parts
from tests.brokers import Broker, Mosquitto
from tests.copies import Copies
from tests.npm_packages import CannotInstall
from tests.timescale_server import CLEAR, WasmTimescale, install

os.environ.setdefault("NABD_CONFIG", "")  # an installation on this machine is none of ours

ran_on: dict[str, str] = {}
"""What the components of this run were, for the closing lines."""


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Give the garbage collector back what an ingest in this process has exempted."""
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


@pytest.fixture(autouse=True)
def process_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave logs as they are where a command is run in this process.

    A logger keeps what it was first used with: that command's standard error, which later tests find closed.
    """
    monkeypatch.setattr(logs, "configure", lambda process: None)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """The embedded PostgreSQL of this run."""
    directory = Path(tempfile.mkdtemp(prefix="nabd-test-"))
    server = EmbeddedPostgres(directory / "postgres", settings=databases.FAST)
    server.start()
    ran_on["plain edition"] = f"embedded PostgreSQL {server.version}"
    try:
        yield server
    finally:
        server.delete()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_template(postgres_server: EmbeddedPostgres) -> str:
    """Name of a migrated database that nobody connects to."""
    return databases.create_template(postgres_server)


@pytest.fixture(scope="session")
def copies(postgres_server: EmbeddedPostgres, migrated_template: str) -> Copies:
    """Databases like the migrated template."""
    return Copies(postgres_server, migrated_template)


@pytest.fixture
def dsn(postgres_server: EmbeddedPostgres, copies: Copies) -> Iterator[str]:
    """Address of a migrated database for this test, plain edition, as good as new."""
    name = copies.take()
    yield postgres_server.dsn(name)
    copies.give_back(name)


@pytest.fixture
def empty_dsn(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """Address of a fresh database that was never migrated."""
    name = databases.create_database(postgres_server)
    yield postgres_server.dsn(name)
    databases.drop_database(postgres_server, name)


@contextmanager
def fresh_timescale() -> Iterator[str]:
    """Give an empty database with TimescaleDB: on the server the environment names, else in WebAssembly."""
    if server := os.environ.get("NABD_TEST_TIMESCALE_DSN"):
        ran_on["timescale edition"] = f"{name_of(server)} (NABD_TEST_TIMESCALE_DSN)"
        with databases.on_server(server) as dsn:
            yield dsn
        return
    parts.need_node()
    try:
        install()
    except CannotInstall as reason:
        parts.missing(parts.TIMESCALE_PACKAGES, str(reason))
    directory = Path(tempfile.mkdtemp(prefix="nabd-"))
    try:
        with WasmTimescale(directory) as wasm:
            ran_on["timescale edition"] = f"TimescaleDB {wasm.version} in WebAssembly"
            yield wasm.dsn
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_timescale() -> Iterator[str]:
    """The database behind `timescale_dsn`."""
    with fresh_timescale() as dsn:
        yield dsn


@pytest.fixture(scope="session")
def empty_timescale() -> Iterator[str]:
    """The database behind `empty_timescale_dsn`."""
    with fresh_timescale() as dsn:
        yield dsn


@pytest.fixture(scope="module")
def timescale_dsn(migrated_timescale: str) -> str:
    """Address of a migrated database of the timescale edition, as good as new for this module.

    Unless NABD_TEST_TIMESCALE_DSN is set it takes one connection at a time and no COPY.
    """
    databases.run(databases.execute(migrated_timescale, CLEAR))
    databases.run(databases.migrate_all(migrated_timescale))
    return migrated_timescale


@pytest.fixture
def empty_timescale_dsn(empty_timescale: str) -> str:
    """Address of a database with TimescaleDB that has no Nabd schema."""
    databases.run(databases.execute(empty_timescale, CLEAR))
    return empty_timescale


@pytest.fixture
async def connection(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """One connection to the test's database."""
    connection = await connect(dsn)
    yield connection
    await connection.close(timeout=5)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """A pool on the test's database."""
    pool = await open_pool(dsn)
    yield pool
    try:
        await asyncio.wait_for(pool.close(), timeout=5)
    except TimeoutError:  # the test left a connection acquired
        pool.terminate()
        await asyncio.sleep(0)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A fresh broker: mosquitto where the machine has one, else the one in the wheel (MQTT 5 only)."""
    if find_mosquitto():
        ran_on["broker"] = "mosquitto"
        with Mosquitto(tmp_path) as mosquitto:
            yield mosquitto
    else:
        ran_on["broker"] = IotCore.name
        with IotCore(tmp_path) as embedded:
            yield embedded.address


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A real mosquitto with persistence, which the test may stop, kill and restart."""
    parts.need_mosquitto()
    with Mosquitto(tmp_path, persistent=True) as broker:
        yield broker


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """Tell the process that gathers the results what this one knows; say what was skipped last of all."""
    if (told := getattr(session.config, "workeroutput", None)) is not None:
        told["ran_on"] = ran_on
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:  # below pytest's own summary
        for line in parts.closing_lines(report.longrepr for report in reporter.getreports("skipped")):
            reporter.write_line(line, yellow=True)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a process of tests has told."""
    ran_on.update(getattr(node, "workeroutput", {}).get("ran_on", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end on what the tests ran."""
    if ran_on:
        terminalreporter.section("ran on")
        for what, where in sorted(ran_on.items()):
            terminalreporter.write_line(f"{what}: {where}")
