"""The programs of PostgreSQL that fit a server: the machine's, else those of the embedded server.

A dump must be made by a program of the server's version or a newer one. One that is too new for the server
that takes it says what that does not know: transaction_timeout, before 17.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nabd.backup.errors import BackupRefused
from nabd.embedded import postgres
from store.errors import Unavailable

DEBIAN = Path("/usr/lib/postgresql")
KNOWS_TRANSACTION_TIMEOUT = 17


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresPrograms:
    """A directory of PostgreSQL's programs of one major version."""

    directory: Path
    version: int

    def path(self, name: str) -> str:
        """Return the path of a program."""
        return str(self.directory / name)


def fitting(server: int, *, at_least: int = 0, name: str = "pg_dump") -> PostgresPrograms:
    """Return the oldest programs that fit a server of this major version.

    Args:
        server: its major version.
        at_least: the version that a dump was made by; older programs cannot read it.
        name: which program must be there.

    Raises:
        BackupRefused: this machine has none; the text names the package.
    """
    found = sorted(_found(name), key=lambda one: one.version)
    for programs in found:
        too_new = server < KNOWS_TRANSACTION_TIMEOUT <= programs.version and name == "pg_restore"
        if programs.version >= max(server, at_least) and not too_new:
            return programs
    have = ", ".join(str(one.version) for one in found) or "none"
    raise BackupRefused(
        f"the server is PostgreSQL {server} and {name} of this machine is of {have}:"
        f" apt install postgresql-client-{max(server, at_least)}"
    )


def _found(name: str) -> Iterator[PostgresPrograms]:
    directories = [Path(one) for one in os.environ.get("PATH", os.defpath).split(os.pathsep) if one]
    # /usr/bin has Debian's wrappers, which choose a version by themselves.
    directories += [path / "bin" for path in DEBIAN.glob("*")]
    with suppress(Unavailable):
        directories.append(postgres.programs())
    for directory in dict.fromkeys(directories):
        program = shutil.which(name, path=str(directory))
        if program and (version := _version(program)):
            yield PostgresPrograms(directory=directory, version=version)


def _version(program: str) -> int | None:
    try:
        done = subprocess.run(  # noqa: S603 - a program of this machine, without arguments of others
            [program, "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = re.search(r"(\d+)(?:\.\d+|devel|beta\d|rc\d)", done.stdout)
    return int(said[1]) if done.returncode == 0 and said else None
