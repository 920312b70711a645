"""Numbered migrations: the files of store/migrations as values.

NNNN_name.sql, with optional headers in the comments before the first statement:

    -- edition: timescale     (or plain) not applicable, and so recorded, on the other edition
    -- no-transaction         for statements that refuse to run in one

Pure but for reading the files. Must not know what has been applied.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from store.edition import Edition
from store.errors import MigrationError

DIRECTORY = Path(__file__).parent / "migrations"
FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
EDITION = re.compile(r"--\s*edition:\s*(\w+)\s*")
NO_TRANSACTION = re.compile(r"--\s*no-transaction\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One migration file; `edition` None means both."""

    number: int
    name: str
    sql: str
    edition: Edition | None = None
    transaction: bool = True

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, line ends normalised so that a Windows checkout is no change."""
        return hashlib.sha256(self.sql.replace("\r\n", "\n").encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.number:04}_{self.name}"

    def applies_to(self, edition: Edition) -> bool:
        """Tell whether the migration runs on this edition."""
        return self.edition in (None, edition)


def load(directory: Path = DIRECTORY) -> list[Migration]:
    """Return all migrations in order.

    Raises:
        MigrationError: a file name or header is wrong, or numbers are not 1, 2, 3, ...
    """
    versions = [_read(path) for path in sorted(directory.glob("*.sql"))]
    for expected, version in enumerate(versions, start=1):
        if version.number != expected:
            raise MigrationError(f"migration {version}: the next number is {expected:04}")
    return versions


def _read(path: Path) -> Migration:
    named = FILE.fullmatch(path.name)
    if not named:
        raise MigrationError(f"{path.name}: expected NNNN_name.sql in lower case")
    sql = path.read_text(encoding="utf-8")
    edition: Edition | None = None
    transaction = True
    for line in sql.splitlines():
        if line.strip() and not line.startswith("--"):
            break
        if header := EDITION.fullmatch(line):
            if header[1] not in list(Edition):
                raise MigrationError(f"{path.name}: edition {header[1]!r} is not {' or '.join(Edition)}")
            edition = Edition(header[1])
        if NO_TRANSACTION.fullmatch(line):
            transaction = False
    return Migration(number=int(named[1]), name=named[2], sql=sql, edition=edition, transaction=transaction)
