"""Keys of backups: age's own files, so that the program `age` opens a backup wherever Nabd is not.

The public half makes backups, the private half opens them: a server that is broken into gives no old backup
away if its key file lies elsewhere. A file may itself be encrypted with a passphrase.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyrage
from pyrage import passphrase, x25519

from nabd.backup.errors import BackupRefused

PRIVATE, PUBLIC = "AGE-SECRET-KEY-1", "age1"
ENCRYPTED = b"age-encryption.org/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupKey:
    """The private half of a key; its text is secret."""

    secret: str

    @property
    def recipient(self) -> str:
        """Return the public half, which may be shown to anybody."""
        return str(identity(self.secret).to_public())


def make_key() -> BackupKey:
    """Return a new key."""
    return BackupKey(secret=str(x25519.Identity.generate()))


def write_key(key: BackupKey, file: Path, now: datetime, *, words: str = "") -> None:
    """Write a key file that only its owner reads; with `words` it is encrypted by them.

    Raises:
        BackupRefused: the file exists: a key that is overwritten makes its backups unreadable.
    """
    text = f"# Nabd backup key, {now:%Y-%m-%d}\n# public key: {key.recipient}\n{key.secret}\n".encode()
    if words:
        text = passphrase.encrypt(text, words)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BackupRefused(
            f"{file} exists, and without it the backups of its key cannot be read: choose another name"
        ) from None
    except OSError as error:
        raise BackupRefused(f"{file} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as output:
        output.write(text)


def is_encrypted(file: Path) -> bool:
    """Tell whether a key file asks for a passphrase."""
    return _read(file).startswith(ENCRYPTED)


def read_key(file: Path, *, words: str = "") -> BackupKey:
    """Return the private key of a file.

    Raises:
        BackupRefused: it cannot be read, has no private key, or the passphrase is another.
    """
    text = _read(file)
    if text.startswith(ENCRYPTED):
        try:
            text = passphrase.decrypt(text, words)
        except pyrage.DecryptError:
            raise BackupRefused(
                f"{file}: the passphrase is another; NABD_BACKUP_PASSPHRASE or a prompt"
            ) from None
    for line in text.decode("ascii", "replace").split("\n"):
        if line.startswith(PRIVATE):
            key = BackupKey(secret=line.strip())
            identity(key.secret)
            return key
    raise BackupRefused(f"{file} holds no private key: name the file that `nabd backup key` wrote")


def recipient_of(said: str) -> str:
    """Return the public key that a text is, or that the file of this name holds.

    Raises:
        BackupRefused: there is none.
    """
    if said.startswith(PUBLIC) and len(said) > 50:
        recipient(said)
        return said
    text = _read(Path(said))
    if text.startswith(ENCRYPTED):
        raise BackupRefused(f"{said} is encrypted: to make backups name its public key, age1…, instead")
    for line in text.decode("ascii", "replace").split("\n"):
        if line.startswith(PRIVATE):
            return BackupKey(secret=line.strip()).recipient
        if (found := line.removeprefix("# public key: ").strip()).startswith(PUBLIC):
            recipient(found)
            return found
    raise BackupRefused(f"{said} holds no key: `nabd backup key FILE` makes one")


def recipient(said: str) -> x25519.Recipient:
    """Return a public key as age knows it.

    Raises:
        BackupRefused: it is none.
    """
    try:
        return x25519.Recipient.from_str(said)
    except pyrage.RecipientError:
        raise BackupRefused(
            f"{said[:80]} is no public key of age: it begins with age1 and has 62 signs"
        ) from None


def identity(secret: str) -> x25519.Identity:
    """Return a private key as age knows it.

    Raises:
        BackupRefused: it is none.
    """
    try:
        return x25519.Identity.from_str(secret)
    except pyrage.IdentityError:
        raise BackupRefused("the private key in the key file is not whole: copy the file anew") from None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BackupRefused(f"key file {file} cannot be read: {error.strerror}") from error
