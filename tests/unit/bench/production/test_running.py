"""What a run of `nabd bench production` notices of what it started."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from bench.production import processes
from bench.production.layout import ProductionLayout
from bench.production.together import together
from bench.throughput.children import ChildFailed
from tests.waiting import eventually

BRIDGE = "nabd-bridge"


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProductionLayout:
    monkeypatch.setattr(ProductionLayout, "environment", lambda self, unit: {})
    found = ProductionLayout(directory=tmp_path, ports={})
    found.logs.mkdir()
    return found


async def test_a_process_that_ends_by_itself_just_before_the_end_is_noticed(
    layout: ProductionLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "COMMAND", (sys.executable, "-c", "raise SystemExit('broken')"))
    with pytest.raises(ChildFailed, match="broken"):
        async with processes.restarting(layout, BRIDGE) as found:
            await eventually(lambda: _is(found.ends == 1))


async def test_a_process_that_was_killed_or_lives_until_the_end_is_no_failure(
    layout: ProductionLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "COMMAND", (sys.executable, "-c", "import time; time.sleep(60)"))
    monkeypatch.setattr(processes, "RESTART_S", 0.01)
    async with processes.restarting(layout, BRIDGE) as found:
        await eventually(lambda: _is(found.starts == 1))
        found.kill()
        await eventually(lambda: _is(found.starts == 2))
    assert found.kills == 1


async def test_of_several_things_none_goes_on_once_one_has_failed() -> None:
    ended = asyncio.Event()

    async def forever() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        ended.set()

    async def fail() -> None:
        raise ChildFailed("away")

    with pytest.raises(ChildFailed, match="away"):
        await together(forever(), fail())
    assert ended.is_set()


async def _is(what: bool) -> bool:
    return what
