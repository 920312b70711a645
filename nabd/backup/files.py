"""What lies beside the database: photos, heads, TLS, settings, and files that the settings name.

One tar, read and written as a stream. What is restored comes into new directories, which take their names
once the database is there too.
"""

from __future__ import annotations

import io
import os
import shutil
import stat
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from nabd.backup import sealed
from nabd.backup.errors import BackupRefused
from nabd.backup.keys import BackupKey
from nabd.backup.ownership import give_like_parent
from nabd.backup.sealed import SealedFile, Told
from nabd.settings import (
    Settings,
    audit_directory,
    environment,
    firmware_directory,
    photo_directory,
    tls_directory,
)

NAME = "files.tar.age"
SETTINGS = "settings.env"
OTHERS = "files"
"""The member below which files lie by the path that they had."""


def directories(settings: Settings) -> dict[str, Path]:
    """Return the directories of our own, by the name that they have in a backup."""
    return {
        "photos": photo_directory(settings),
        "audit": audit_directory(settings),
        "firmware": firmware_directory(settings),
        "tls": tls_directory(settings),
    }


def pack(
    settings: Settings, directory: Path, recipient: str, told: Told
) -> tuple[SealedFile, dict[str, int]]:
    """Write all files into an encrypted tar; return it and how many of each sort there are.

    Raises:
        BackupRefused: a file that the settings name cannot be read, or the disk is full.
    """
    counts: Counter[str] = Counter()
    found: list[SealedFile] = []

    def feed(output: BinaryIO) -> None:
        with tarfile.open(fileobj=output, mode="w|", dereference=True) as tar:
            _add_text(tar, SETTINGS, _settings_text(settings))
            counts[SETTINGS] += 1
            for sort, name, path in _members(settings):
                counts[sort] += _add(tar, name, path)

    def take(source: BinaryIO) -> None:
        found.append(sealed.seal(source, directory, NAME, recipient, told))

    sealed.fed(feed, take)
    return found[0], dict(counts)


def unpack(directory: Path, key: BackupKey, into: Path) -> None:
    """Extract the tar of a backup below `into`, which exists and is empty.

    Raises:
        BackupRefused: it cannot be opened, or is not what we write.
    """

    def feed(output: BinaryIO) -> None:
        sealed.open_into(directory, NAME, key, output)

    def take(source: BinaryIO) -> None:
        try:
            with tarfile.open(fileobj=source, mode="r|") as tar:
                for member in tar:
                    _extract(tar, member, into)
        except tarfile.TarError as error:
            raise BackupRefused(f"{directory / NAME} is cut or was altered: {error}") from error
        while source.read(sealed.PIECE):
            pass  # padding, so that the other end is not told of a broken pipe

    sealed.fed(feed, take)


def put_in_place(unpacked: Path, settings: Settings, others: Path) -> dict[str, str]:
    """Give what was unpacked its names; return where each sort lies now.

    Raises:
        OSError: the disk is full, or what `refuse_unfit` has looked at is another meanwhile.
    """
    placed: dict[str, str] = {}
    for name, target in destinations(settings, others).items():
        source = unpacked / name
        if not source.exists():
            continue
        if source.is_dir():
            _fill(source, target)
        else:
            made = _made(target.parent)
            shutil.move(source, target)
            give_like_parent(made or target)
        placed[name] = str(target)
    return placed


def _fill(source: Path, target: Path) -> None:
    """Move what is in a directory into another; an empty one that is there stays, it may be a mount point."""
    made = _made(target)
    for child in sorted(source.iterdir()):
        shutil.move(child, target / child.name)
        if made is None:
            give_like_parent(target / child.name)
    source.rmdir()
    if made is not None:
        give_like_parent(made)


def _made(directory: Path) -> Path | None:
    """Make a directory and what lacks above it; return the topmost that was made."""
    lacking = [one for one in (directory, *directory.parents) if not one.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    return lacking[-1] if lacking else None


def destinations(settings: Settings, others: Path) -> Mapping[str, Path]:
    """Return where each sort of files is put; `others` has what nobody puts in place by itself."""
    return {**directories(settings), SETTINGS: others / SETTINGS, OTHERS: others / OTHERS}


def refuse_unfit(settings: Settings, others: Path, counts: Mapping[str, int]) -> None:
    """Look at every destination before anything is written; `counts` says of which sorts there are files.

    Raises:
        BackupRefused: something lies there already, or what there is cannot be put there.
    """
    instead = "or name another place for what is restored"
    for name, target in destinations(settings, others).items():
        try:
            there = next(one for one in (target, *target.absolute().parents) if one.exists())
            if there == target and not (there.is_dir() and not any(there.iterdir())):
                raise BackupRefused(f"{target} is not empty: move it away, {instead}")
        except OSError as error:
            raise BackupRefused(
                f"{target} cannot be looked at: {error.strerror}; restore as its owner, {instead}"
            ) from error
        if counts.get(name) and not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
            raise BackupRefused(
                f"{there} cannot be written to, and {name} belongs there: restore as its owner, {instead}"
            )


def _settings_text(settings: Settings) -> str:
    said = {f"NABD_{name.upper()}" for name in settings.model_fields_set}
    return "".join(f"{name}={value}\n" for name, value in environment(settings).items() if name in said)


def _members(settings: Settings) -> Iterator[tuple[str, str, Path]]:
    """Yield sort, name in the tar and path of every file."""
    for sort, directory in directories(settings).items():
        for path in _below(directory):
            yield sort, f"{sort}/{path.relative_to(directory).as_posix()}", path
    for named in settings.backup_files:
        top = named.absolute()
        if not top.exists():
            raise BackupRefused(f"{top} does not exist: correct NABD_BACKUP_FILES")
        for path in _below(top) if top.is_dir() else [top]:
            yield OTHERS, f"{OTHERS}{path.as_posix()}", path


def _below(top: Path) -> Iterator[Path]:
    """Yield every file below a directory; one that may not be entered is no empty one."""
    for where, directories, names in os.walk(top, onerror=lambda e: _refuse_unread(Path(e.filename), e)):
        directories.sort()
        for path in (Path(where, name) for name in sorted(names)):
            try:
                if stat.S_ISREG(path.stat().st_mode):
                    yield path
            except OSError as error:
                _refuse_unread(path, error)


def _refuse_unread(path: Path, error: OSError) -> None:
    """Refuse what cannot be read; what was never there, or went meanwhile as a photo may, is not missed."""
    if not isinstance(error, FileNotFoundError):
        said = error.strerror or error
        raise BackupRefused(f"{path} cannot be read: {said}; back up as its owner") from error


def _add(tar: tarfile.TarFile, name: str, path: Path) -> int:
    try:
        with path.open("rb") as content:
            member = tar.gettarinfo(arcname=name, fileobj=content)
            tar.addfile(member, content)
    except OSError as error:
        _refuse_unread(path, error)
        return 0
    return 1


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(text.encode()), 0o600
    tar.addfile(member, io.BytesIO(text.encode()))


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> None:
    name = PurePosixPath(member.name)
    if not member.isfile() or name.is_absolute() or ".." in name.parts:
        raise BackupRefused(f"the backup holds {member.name!r}, which Nabd never writes: it is not ours")
    content = tar.extractfile(member)
    assert content is not None
    target = into / name
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = member.mode & 0o755 or 0o600
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as output:
        shutil.copyfileobj(content, output, sealed.PIECE)
