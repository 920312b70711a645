"""No process starts on a schema that it does not know: one sentence, and nothing is touched."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from nabd.cli import app
from tests.databases import execute, run

NEWER = "INSERT INTO nabd_migration VALUES (9999, 'flying_bins', 'x', true)"
OLDER = "DELETE FROM nabd_migration WHERE number = (SELECT max(number) FROM nabd_migration)"


@pytest.mark.parametrize("command", ["ingest", "sweep", "notify", "migrate", "migrate --plan", "ledger"])
def test_process_refuses_a_newer_schema(dsn: str, command: str) -> None:
    run(execute(dsn, NEWER))
    settings = {"NABD_DATABASE": dsn, "NABD_BROKER": "mqtt://127.0.0.1:1"}

    done = CliRunner().invoke(app, command.split(), env=settings)

    said = done.stderr.strip().splitlines()[-1]
    assert done.exit_code == 1
    assert said.startswith("nabd: the database is newer than this program: it has migration 9999_flying_bins")
    assert said.endswith("install the newer program")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["ingest", "sweep"])
def test_process_refuses_an_older_schema(dsn: str, command: str) -> None:
    run(execute(dsn, OLDER))
    settings = {"NABD_DATABASE": dsn, "NABD_BROKER": "mqtt://127.0.0.1:1"}

    done = CliRunner().invoke(app, [command], env=settings)

    assert done.exit_code == 1
    assert "run `nabd migrate`" in done.stderr.strip().splitlines()[-1]
