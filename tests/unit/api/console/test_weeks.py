"""Weeks of reports have the names that the API knows: run through node."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import api
from tests.parts import need_node
from work.figures.span import read_week, week_name

WEEKS = (Path(api.__file__).parent / "console/reports/weeks.js").as_uri()


def test_weeks_are_those_of_the_api_also_around_new_year() -> None:
    need_node()
    days = [date(2026, 12, 20) + timedelta(days=n) for n in range(30)]
    days += [date(2020, 12, 27) + timedelta(days=n) for n in range(10)]
    noons = [int(datetime(d.year, d.month, d.day, 12, tzinfo=UTC).timestamp() * 1000) for d in days]
    script = (
        f"import {{ weekOf, mondayOf }} from {json.dumps(WEEKS)};"
        f"console.log(JSON.stringify({noons}.map((ms) => weekOf(ms, 'Asia/Beirut'))"
        ".map((week) => [week, new Date(mondayOf(week)).toISOString().slice(0, 10)])))"
    )
    said = subprocess.run(
        ["node", "--input-type=module", "-e", script], check=True, capture_output=True, text=True, timeout=30
    )

    mondays = [d - timedelta(days=d.weekday()) for d in days]
    assert json.loads(said.stdout) == [[week_name(m), m.isoformat()] for m in mondays]
    assert all(read_week(week_name(m)) == m for m in mondays)
