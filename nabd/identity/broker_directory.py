"""The directory through which the broker learns who may sign in, and in which its watcher says what it took.

Written whole, file by file, and only where something differs. `deploy/mosquitto/watch` reads it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from devices.credentials.broker_files import BrokerLists
from nabd.identity.tls_files import AUTHORITY, REVOCATIONS, SERVER, SERVER_KEY, make_directory, write

PASSWORDS, NEWEST = "passwords", "passwords.next"
APPLIED = "applied"
TAKEN = "taken"
MODE = 0o640
"""A group may be given to whoever reads for the broker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerFile:
    """What the watcher says of a file: its SHA-256, and that it was taken, or why it was refused."""

    digest: str
    said: str


OF_DEVICES, OF_SERVER = (AUTHORITY, REVOCATIONS), (SERVER, SERVER_KEY)
"""Files of TLS: which devices' certificates count, and what the server shows them."""


def list_contents(lists: BrokerLists) -> dict[str, bytes]:
    """Return the lists of passwords as files."""
    return {PASSWORDS: lists.passwords, NEWEST: lists.next}


def tls_contents(tls_dir: Path, names: Sequence[str] = (*OF_DEVICES, *OF_SERVER)) -> dict[str, bytes]:
    """Return what there is of TLS: with it the broker's first start opens the doors with TLS at once."""
    return {name: (tls_dir / name).read_bytes() for name in names if (tls_dir / name).exists()}


def put(directory: Path, wanted: Mapping[str, bytes]) -> list[str]:
    """Write what differs; return the names of what was written."""
    make_directory(directory)
    changed = [name for name, content in wanted.items() if _read(directory / name) != content]
    for name in changed:
        write(directory / name, wanted[name], mode=MODE)
    return changed


def applied(directory: Path) -> dict[str, BrokerFile]:
    """Return what the watcher has said, by file; nothing where it has said nothing yet."""
    text = _read(directory / APPLIED) or b""
    found: dict[str, BrokerFile] = {}
    for line in text.decode("utf-8", "replace").splitlines():
        digest, _, rest = line.partition("  ")
        name, _, said = rest.partition(" ")
        if name and said:
            found[name] = BrokerFile(digest=digest, said=said)
    return found


def is_applied(directory: Path, wanted: Mapping[str, bytes], name: str) -> bool:
    """Tell whether the broker goes by this very content of a file."""
    found = applied(directory).get(name)
    return found is not None and found.said == TAKEN and found.digest == digest(wanted[name])


def digest(content: bytes) -> str:
    """Return the SHA-256 of a file's content as sha256sum writes it."""
    return hashlib.sha256(content).hexdigest()


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
