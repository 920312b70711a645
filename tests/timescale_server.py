"""TimescaleDB for tests: its own code in WebAssembly (tests/timescale), or a server named by the environment.

The WebAssembly server takes one connection at a time and knows no COPY FROM STDIN. A server named by
NABD_TEST_TIMESCALE_DSN has no such limits.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.npm_packages import install_into

DIRECTORY = Path(__file__).parent / "timescale"


def install() -> None:
    """Install the locked packages where they are not there yet.

    Raises:
        CannotInstall: npm failed.
    """
    # The socket server names its own build of the database as a peer; we bring the one with TimescaleDB.
    install_into(DIRECTORY, "@unni-craftsman", ["--legacy-peer-deps"])


class WasmTimescale:
    """One empty database with the extension created, as a context manager."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(exist_ok=True)
        self.dsn = f"postgresql://postgres@/postgres?host={directory}"
        self.version = ""
        self._socket = directory / ".s.PGSQL.5432"
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            ["node", "server.mjs", str(self._socket)],
            cwd=DIRECTORY,
            stdin=subprocess.PIPE,  # the server ends when this closes, and so never outlives us
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        ready, _, self.version = self._process.stdout.readline().strip().partition(" ")
        assert ready == "ready", f"TimescaleDB in WebAssembly did not start: {self._process.wait(10)}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.communicate(timeout=10)


CLEAR = """
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT format('%I', relname) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
    LOOP
        EXECUTE 'DROP TABLE IF EXISTS ' || name || ' CASCADE';
    END LOOP;
    DROP SEQUENCE IF EXISTS alert_event_id CASCADE;
    DROP FUNCTION IF EXISTS grant_readers, offer_views, refuse_to_readers, keep_reader;
END
$$
"""
"""Drops what Nabd made (views go with their tables), keeps the extension: much faster than a new server."""
