"""Thirty readers on one Monday morning: one report is read, by one connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from notify.notices import weekly
from tests.unit.work.weekly.reports import report

REPORT = report()


class CountedPool:
    """Counts how many connections are taken at a time."""

    def __init__(self) -> None:
        self.taken = self.most = 0

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[None]:
        self.taken += 1
        self.most = max(self.most, self.taken)
        await asyncio.sleep(0)
        yield
        self.taken -= 1


async def test_reports_are_read_one_at_a_time_and_once_for_all_who_get_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[tuple[str, bool]] = []

    async def read_report(_: object, town: str, _monday: object, _now: object, *, named: bool) -> Any:
        read.append((town, named))
        await asyncio.sleep(0)
        return REPORT

    monkeypatch.setattr(weekly, "read_report", read_report)
    reports, pool, monday, now = weekly.WeekReports(), CountedPool(), REPORT.monday, REPORT.now
    wanted = [(town, named) for town in ("tripoli", "nablus") for named in (True, False)] * 8

    def ask(town: str, *, named: bool, later: timedelta = timedelta()) -> Any:
        return reports.read(pool, town, monday, now + later, named=named)  # type: ignore[arg-type]

    await asyncio.gather(*(ask(town, named=named) for town, named in wanted))

    assert (pool.most, read) == (1, wanted[:4])
    await ask("tripoli", named=True, later=timedelta(hours=1))
    assert len(read) == 5, "it is read anew after a while"
