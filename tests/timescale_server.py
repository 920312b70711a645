"""TimescaleDB for tests: its own code in WebAssembly (tests/timescale), or a server named by the environment.

The WebAssembly server takes one connection at a time, knows no COPY FROM STDIN, and takes messages of up
to about 1,000 readings. A server named by NABD_TEST_TIMESCALE_DSN has no such limits.
"""

from __future__ import annotations

import fcntl
import re
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

DIRECTORY = Path(__file__).parent / "timescale"
INSTALL_S = 50.0
"""Two processes of tests may wait for it one after the other, within one test's time limit."""
INSTALL = [
    "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund",
    # The socket server names its own build of the database as a peer; we bring the one with TimescaleDB.
    "--legacy-peer-deps",
    # Without a network that is known within seconds; npm's own patience is over a minute.
    "--prefer-offline", "--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=20000",
]  # fmt: skip


class CannotInstall(Exception):
    """The npm packages are not there and cannot be installed; the text says why."""


def install() -> None:
    """Install the locked packages where they are not there yet.

    Raises:
        CannotInstall: npm failed, for instance because it reaches no registry.
    """
    # Tests run in several processes, and npm takes its time.
    with (DIRECTORY / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install()


def _install() -> None:
    if (DIRECTORY / "node_modules" / "@unni-craftsman").is_dir():
        return
    try:
        done = subprocess.run(
            INSTALL, cwd=DIRECTORY, capture_output=True, text=True, check=False, timeout=INSTALL_S
        )
    except subprocess.TimeoutExpired as error:
        raise CannotInstall(f"npm was not ready after {INSTALL_S:.0f} s") from error
    if done.returncode:
        code = re.search(r"^npm (?:error|ERR!) code (\S+)$", done.stderr, re.MULTILINE)
        raise CannotInstall(f"npm says {code[1] if code else done.stderr.strip()[-200:]}")


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
END
$$
"""
"""Drops what Nabd made (views go with their tables), keeps the extension: much faster than a new server."""
