"""Secrets of an installation: one file each, of random bytes where nobody else gives them.

Files are named after who shows the secret to whom. The directory is closed to everybody but its owner, and so
hides files that processes in containers, who are other users there, must be able to read. systemd reads them
as root for the processes that it starts: their group may read what commands sign in with, and nothing else.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from nabd.accounts.grants import Account
from nabd.configuration.sources import UnreadableSetting

BYTES = 24

RANDOM = (
    "database-superuser",
    *(f"database-{account}" for account in Account),
    "database-grafana",
    "grafana-admin",
    "broker-ingest",
    "broker-api",
    "broker-bridge",
)
"""Passwords between machines, which nobody needs to know."""
GIVEN = (
    "broker-simulator",
    "email-server",
    "webhook-secret",
    "oidc-client-secret",
    "telegram-token",
    "ntfy-token",
    "grafana-token",
)
"""What others give, or nobody; empty is none."""
SECRETS = (*RANDOM, *GIVEN)
OF_COMMANDS = ("database-api", "broker-api")
"""With which the configuration that systemd's processes share lets a command sign in."""


def write_secrets(
    directory: Path, given: Mapping[str, str], *, random: Sequence[str] = (), group: int | None = None
) -> list[str]:
    """Write what is not there yet and return the names; what is there is never touched.

    Args:
        directory: made where it is not.
        given: secrets by name that are not random.
        random: names that are random this time although they need not be there.
        group: number of the group whose members run commands; None: who reaches a file reads it.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700 if group is None else 0o750)
    made = []
    for name in SECRETS:
        text = given.get(name) or (secrets.token_hex(BYTES) if name in (*RANDOM, *random) else "")
        grouped = 0o640 if name in OF_COMMANDS else 0o600
        if _write_new(directory / name, text, 0o644 if group is None else grouped):
            made.append(name)
    if group is not None:
        for path in (directory, *(directory / name for name in made if name in OF_COMMANDS)):
            os.chown(path, -1, group)
    return made


def _write_new(path: Path, text: str, mode: int) -> bool:
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(text)
    path.chmod(mode)
    return True


def read_secrets(directory: Path, names: Iterable[str]) -> dict[str, str]:
    """Return secrets by name.

    Raises:
        UnreadableSetting: one is not there, empty, or may not be read.
    """
    found = {}
    for name in names:
        path = directory / name
        try:
            found[name] = path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise UnreadableSetting(
                f"{path} cannot be read ({error.strerror}): `nabd init` writes secrets that are not there"
            ) from error
        if not found[name]:
            raise UnreadableSetting(f"{path} is empty: remove it, and `nabd init` writes another")
    return found
