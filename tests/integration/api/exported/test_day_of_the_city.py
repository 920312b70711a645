"""A day of the city as a file: written whole or not at all, in constant memory."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from nabd.cli import app as command
from store.pool import connect
from tests.databases import run
from tests.integration.api import builders

NOON = builders.NOON
DAY = timedelta(days=1)


def test_command_writes_whole_files_only(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NABD_DATABASE", dsn)
    run(fill(dsn, devices=2, minutes=30))
    runner = CliRunner()
    usual = ["export", "readings", "--municipality", "tripoli", "--kind", "bin"]
    asked = [*usual, "--from", (NOON - DAY).isoformat(), "--to", NOON.isoformat()]
    file = tmp_path / "bins.parquet"

    written = runner.invoke(command, [*asked, "-o", str(file)])
    shown = runner.invoke(command, [*asked, "--bom"])
    wrong = [
        runner.invoke(command, [*usual, *more])
        for more in (["--format", "xls"], ["--to", "2d"], ["-o", str(tmp_path / "no" / "bins.csv")])
    ]
    unknown = runner.invoke(command, ["export", "readings", "--municipality", "tripoli", "--kind", "boat"])

    assert written.exit_code == 0, written.output
    assert "60 readings in" in written.output
    assert pq.read_table(file).num_rows == 60
    assert shown.stdout.startswith("\ufeffdevice,observed_at,received_at,quality,suspect,")
    assert len(shown.stdout.splitlines()) == 61
    assert [result.exit_code for result in wrong] == [2, 1, 1]
    assert "name another file with -o" in wrong[2].output
    assert "no kind is called 'boat': bin" in unknown.output
    assert [path.name for path in tmp_path.iterdir()] == ["bins.parquet"]


async def fill(dsn: str, *, devices: int, minutes: int) -> None:
    """Store what so many bins say in so many minutes before yesterday's noon."""
    connection = await connect(dsn)
    try:
        for number in range(devices):
            await builders.add(connection, f"bin-{number:04}")
        await connection.execute(_FILL, NOON, minutes)
    finally:
        await connection.close()


_FILL = """
INSERT INTO bin_reading (device_id, observed_at, received_at, quality, fill_pct)
SELECT d.id, $1::timestamptz - n * interval '1 minute', $1, 0, n % 100
FROM device AS d CROSS JOIN generate_series(1, $2::integer) AS n
WHERE d.kind = 'bin'
"""
_PEAK = """
import resource, sys
from nabd.cli import main
try:
    main()
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def peak_kb(dsn: str, file: Path, since: datetime) -> int:
    """Write a file in a process of its own; return the most memory that it had."""
    arguments = [
        "export", "readings", "--municipality", "tripoli", "--kind", "bin", "--from", since.isoformat(),
        "--to", NOON.isoformat(), "-o", str(file),
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, *arguments], env={**os.environ, "NABD_DATABASE": dsn},
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return int(done.stderr.split()[-1])


def test_a_day_of_the_city_takes_no_more_memory_than_a_quarter_of_it(dsn: str, tmp_path: Path) -> None:
    run(fill(dsn, devices=100, minutes=1440))
    file = tmp_path / "bins.parquet"

    quarter = peak_kb(dsn, tmp_path / "quarter.parquet", NOON - DAY / 4)
    day = peak_kb(dsn, file, NOON - DAY)

    written = pq.ParquetFile(file)
    assert written.metadata.num_rows == 100 * 1440
    assert written.metadata.num_row_groups >= 2
    table = written.read(["device", "observed_at", "fill_pct"])
    assert table.column("observed_at")[0].as_py() == NOON - DAY
    assert sum(table.column("fill_pct").to_pylist()) == 100 * sum(n % 100 for n in range(1, 1441))
    # Rows of the other three quarters would take more than 100 MB.
    assert day - quarter < 40_000, (quarter, day)
