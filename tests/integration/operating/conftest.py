"""A town with something in every place that a backup has, and a key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from nabd.backup import keys
from nabd.backup.keys import BackupKey
from nabd.cli import app
from store.pool import connect
from tests.databases import run
from tests.integration.api import builders

SECRET = "the-brokers-password-of-tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """An installation: its database, its directories, and a key in a file."""

    dsn: str
    place: Path
    key: BackupKey
    key_file: Path

    def environment(self, **more: str) -> dict[str, str]:
        """Return the settings of the town, with others in their place."""
        files = {
            "NABD_DATABASE": self.dsn,
            "NABD_DATA_DIR": str(self.place / "var"),
            "NABD_BACKUP_DIR": str(self.place / "backups"),
            "NABD_BACKUP_KEY": self.key.recipient,
            "NABD_BACKUP_FILES": json.dumps([str(self.place / "broker")]),
        }
        return files | more

    def elsewhere(self, dsn: str) -> dict[str, str]:
        """Return the settings of a machine where nothing is yet."""
        return self.environment(
            NABD_DATABASE=dsn, NABD_DATA_DIR=str(self.place / "new"), NABD_BACKUP_FILES=""
        )

    def back_up(self) -> Path:
        """Make a backup and return its directory."""
        done = nabd(self.environment(), "backup", "make", "--json")
        assert done.exit_code == 0, done.stderr
        return Path(json.loads(done.stdout)["directory"])


def nabd(environment: dict[str, str], *arguments: str | Path) -> Result:
    """Run a command with settings; what is no refusal is raised."""
    done = CliRunner().invoke(app, [str(one) for one in arguments], env=environment)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


async def contents(dsn: str) -> dict[str, list[Any]]:
    """Return every row of every table, ordered, but for what a restore renumbers by itself."""
    connection: asyncpg.Connection = await connect(dsn)
    try:
        tables = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p') AND NOT relispartition"
        )
        names = sorted({row["relname"] for row in tables} - {"backup"})
        return {
            name: sorted(
                str(row["t"]) for row in await connection.fetch(f'SELECT t::text AS t FROM "{name}" AS t')
            )
            for name in names
        }
    finally:
        await connection.close()


async def _live(dsn: str) -> None:
    connection: asyncpg.Connection = await connect(dsn)
    try:
        device = await builders.add(connection, "bin-1")
        rows = [
            {"observed_at": builders.NOON - timedelta(minutes=n), "fill_pct": 50.0 + n / 10}
            for n in range(300)
        ]
        await builders.store(connection, device, rows)
        await builders.fire(connection, device)
    finally:
        await connection.close()


@pytest.fixture
def town(dsn: str, tmp_path: Path) -> Town:
    run(_live(dsn))
    for name, text in (
        ("var/photos/ab/one.jpg", "a photo"),
        ("var/audit/tripoli.ndjson", '{"head": 1}\n'),
        ("var/tls/authority.key", "a key"),
        ("broker/passwords", SECRET),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    key = keys.make_key()
    file = tmp_path / "key"
    keys.write_key(key, file, builders.NOON)
    return Town(dsn=dsn, place=tmp_path, key=key, key_file=file)
