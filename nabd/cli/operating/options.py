"""What commands on backups share: the key, progress, and refusals as one line."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from nabd.backup import keys
from nabd.backup.errors import BackupRefused, StagedFilesLeft
from nabd.backup.keys import BackupKey
from nabd.backup.sealed import Told
from nabd.cli import output
from nabd.settings import Settings
from store.errors import StoreError
from store.failures import DATABASE_ERRORS

T = TypeVar("T")

PASSPHRASE = "NABD_BACKUP_PASSPHRASE"  # noqa: S105 - the name of a variable
"""Opens an encrypted key file where nobody can be asked; not a setting, so that no backup holds it."""

Json = Annotated[bool, typer.Option("--json", help="print one JSON object")]
KeyFile = Annotated[
    Path | None, typer.Option("--key", help="the key file of `nabd backup key`; else NABD_BACKUP_KEY")
]


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run what a command does; a refusal or an outage is one line that names the fix, and exit code 1."""
    try:
        return asyncio.run(work)
    except (BackupRefused, StagedFilesLeft, StoreError) as error:
        output.fail(str(error))
    except DATABASE_ERRORS as error:
        output.fail(
            f"the database did not answer as expected: {error or type(error).__name__}; see `nabd doctor`"
        )


def refused(work: Callable[[], T]) -> T:
    """Return what `work` returns; a refusal is one line, and exit code 1."""
    try:
        return work()
    except BackupRefused as error:
        output.fail(str(error))


def dsn_of(settings: Settings) -> str:
    """Return the configured database, or say how to name it."""
    if not settings.database:
        output.fail("no database is named: set NABD_DATABASE=postgresql://user@host/name, or start `nabd up`")
    return settings.database


def private_key(named: Path | None, settings: Settings) -> BackupKey:
    """Return the key that opens backups, and ask for its passphrase where it has one.

    Raises:
        BackupRefused: there is none, or it cannot be read.
    """
    said = named or settings.backup_key
    if not said:
        raise BackupRefused("no key is named: --key FILE, or NABD_BACKUP_KEY, the file of `nabd backup key`")
    if str(said).startswith(keys.PUBLIC) and not Path(said).exists():
        raise BackupRefused(
            "NABD_BACKUP_KEY is a public key: it makes backups and opens none; name the key file, --key FILE"
        )
    file = Path(said)
    words = ""
    if keys.is_encrypted(file):
        words = os.environ.get(PASSPHRASE, "") or _asked(file)
    return keys.read_key(file, words=words)


def _asked(file: Path) -> str:
    if not sys.stdin.isatty():
        raise BackupRefused(f"{file} asks for a passphrase: set {PASSPHRASE}, or use a terminal")
    words: str = typer.prompt(f"passphrase of {file}", hide_input=True)
    return words


@contextmanager
def told() -> Iterator[Told]:
    """Show how many bytes have passed; without a terminal nothing is shown."""
    with output.progress() as progress:
        bars: dict[str, Any] = {}

        def tell(name: str, count: int) -> None:
            if name not in bars:
                bars[name] = progress.add_task(f"{name} (MB)", total=None)
            progress.update(bars[name], advance=count / 1e6)

        yield tell


def new_passphrase() -> str:
    """Return the words that a new key file is encrypted with; asked for twice."""
    words = os.environ.get(PASSPHRASE, "")
    if not words:
        if not sys.stdin.isatty():
            output.fail(f"there is no terminal to ask for a passphrase: set {PASSPHRASE}")
        words = typer.prompt("passphrase", hide_input=True, confirmation_prompt=True)
    if len(words) < 12:
        output.fail("a passphrase has 12 characters at least: whoever has the file can try all shorter ones")
    return words


def rounded(found: Any) -> dict[str, object]:
    """Return a dataclass as JSON shows it, seconds with one digit."""
    fields = dataclasses.asdict(found)
    return {name: round(value, 1) if isinstance(value, float) else value for name, value in fields.items()}
