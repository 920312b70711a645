"""Makes a directory from which a server starts as it was at an instant: a base backup, and WAL since."""

from __future__ import annotations

import json
import shlex
import shutil
from datetime import UTC, datetime
from pathlib import Path

from nabd.backup import programs
from nabd.backup.errors import BackupRefused
from nabd.backup.ownership import give_like_parent
from nabd.backup.recovery.base import call

SIGNAL, CONFIGURATION = "recovery.signal", "postgresql.auto.conf"
_MODIFIED = "%Y-%m-%d %H:%M:%S GMT"
"""How a manifest of PostgreSQL writes an instant."""


def recover(base: Path, archive: Path, into: Path, until: datetime | None = None) -> int:
    """Copy a base backup to `into`, to be started there; return the major version that starts it.

    Args:
        base: of `nabd backup base`.
        archive: directory of the archived WAL.
        into: the new data directory; must be empty or not there.
        until: the instant to return to; None: the end of the archive.

    Raises:
        BackupRefused: the base backup is not whole, the archive is empty, or `into` is not.
    """
    version = _version(base)
    if not archive.is_dir() or not any(archive.iterdir()):
        raise BackupRefused(f"{archive} holds no archived WAL: name the directory that archive-wal fills")
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise BackupRefused(
            f"{into} is not empty: stop its server and move it away, or name another directory"
        )
    if until is not None and until <= _ended(base):
        raise BackupRefused(
            f"{base} was not finished at {until:%Y-%m-%d %H:%M:%SZ}: name an older base backup"
        )
    fitting = programs.fitting(version, name="pg_verifybackup")
    call(fitting.path("pg_verifybackup"), "--quiet", str(base))
    shutil.copytree(base, into, symlinks=True, dirs_exist_ok=True)
    into.chmod(0o700)
    _configure(into, archive.absolute(), until)
    give_like_parent(into)  # PostgreSQL does not run as root
    return version


def _configure(into: Path, archive: Path, until: datetime | None) -> None:
    command = f'cp {shlex.quote(str(archive))}/%f "%p"'
    lines = {"restore_command": command, "recovery_target_action": "promote"}
    if until is not None:
        lines["recovery_target_time"] = f"{until.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00"
    with (into / CONFIGURATION).open("a", encoding="utf-8") as file:
        file.write("# Written by nabd backup recover.\n")
        for name, value in lines.items():
            escaped = value.replace("'", "''")
            file.write(f"{name} = '{escaped}'\n")
    (into / SIGNAL).touch()


def _version(base: Path) -> int:
    try:
        return int((base / "PG_VERSION").read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        raise BackupRefused(f"{base} is no base backup: name a directory of `nabd backup base`") from None


def _ended(base: Path) -> datetime:
    """Return when the last file was written that was copied: the copy was not whole before.

    The time of the manifest itself is when it was copied hither. Of the seconds between, PostgreSQL says that
    they are before its consistent recovery point.
    """
    try:
        files = json.loads((base / "backup_manifest").read_bytes())["Files"]
        return max(datetime.strptime(one["Last-Modified"], _MODIFIED).replace(tzinfo=UTC) for one in files)
    except (OSError, ValueError, KeyError, TypeError):
        raise BackupRefused(
            f"{base} has no whole backup_manifest: it is cut; take another base backup"
        ) from None
