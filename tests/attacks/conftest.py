"""The application as on loopback, for attacks from this machine; and the count of what was tried.

A test says by `pytest.mark.attack` which kind of attack it tries. One that compares what was sent with what
is stored says by `record_property` how many readings were `lost` and `doubled`.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from api.app import create_app
from tests.integration.api import builders

LONG = os.environ.get("NABD_ATTACKS") == "long"
SEED = int(os.environ.get("NABD_ATTACKS_SEED", "1"))


class AttackCount:
    """Counts kinds of attacks by the reports of their tests, and says so in the last line."""

    def __init__(self) -> None:
        self.held: dict[str, bool] = {}
        self.counts = {"lost": 0, "doubled": 0}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take one phase of one test: a kind holds where none of its phases failed, and none was skipped."""
        for name, value in report.user_properties:
            if name == "attack":
                self.held[str(value)] = self.held.get(str(value), True) and report.passed
            elif name in self.counts and report.when == "call":
                self.counts[name] += int(str(value))

    def pytest_unconfigure(self) -> None:
        """Say the counts, after everything else."""
        print(json.dumps({"attacks": len(self.held), "held": sum(self.held.values()), **self.counts}))


def pytest_configure(config: pytest.Config) -> None:
    """Count in the long form."""
    if LONG and not hasattr(config, "workerinput"):
        config.pluginmanager.register(AttackCount())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the reports of a test know which kind of attack it tries."""
    for item in items:
        for mark in item.iter_markers("attack"):
            item.user_properties.append(("attack", mark.args[0]))


@pytest.fixture
async def app(pool: asyncpg.Pool, tmp_path: Path) -> FastAPI:
    """The application as on loopback."""
    await builders.let_in(pool)
    return create_app(
        pool=pool,
        kinds=builders.KINDS,
        now=builders.now,
        beyond_loopback=False,
        photo_dir=tmp_path / "photos",
        relaying=builders.Committed(),
    )


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A program that asks the application, without a server between."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", headers=builders.BEARER
    ) as client:
        yield client
