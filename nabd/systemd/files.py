"""Every file of an installation by systemd and its place; written below a root, which is / in earnest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nabd.configuration.secrets import OF_COMMANDS, SECRETS
from nabd.systemd import units
from nabd.systemd.units import BACKUPS, BROKER, CADDY, CADDYFILE, PROGRAM, TARGET, UNITS, rendered, timer

SYSUSERS = 'u nabd - "Nabd" /var/lib/nabd\n'
TMPFILES = f"""\
d /etc/nabd 0750 root nabd
d /etc/nabd/secrets 0750 root nabd
d /var/lib/nabd 0750 nabd nabd
d /var/lib/nabd/broker 0700 nabd nabd
d /var/lib/nabd/broker-files 0750 nabd nabd
d {BACKUPS} 0700 nabd nabd
""" + "".join(
    f"z {units.SECRETS}/{name} {'0640 root nabd' if name in OF_COMMANDS else '0600 root root'}\n"
    for name in SECRETS
)
BROKER_FILES = ("start", "watch", "acl", "mosquitto.conf")


class NotCheckedOut(Exception):
    """Files of the broker come with a checkout, and this is none; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledFile:
    """A file, its text and its mode; one of the administrator's is never written again."""

    path: str
    text: str
    mode: int = 0o644
    administrators: bool = False


def installed_files(deploy: Path, program: str = PROGRAM) -> Iterator[InstalledFile]:
    """Yield every file.

    Args:
        deploy: folder `deploy` of a checkout.
        program: where `nabd` is.

    Raises:
        NotCheckedOut: the folder is not there.
    """
    if not (deploy / "mosquitto/start").exists():
        raise NotCheckedOut(f"{deploy} is not there: run this from a checkout of the same version")
    yield InstalledFile(path="/usr/lib/systemd/system/nabd.target", text=TARGET)
    for unit in UNITS:
        yield InstalledFile(path=f"/usr/lib/systemd/system/{unit.name}.service", text=rendered(unit, program))
        if unit.at:
            yield InstalledFile(path=f"/usr/lib/systemd/system/{unit.name}.timer", text=timer(unit))
    yield InstalledFile(path="/usr/lib/sysusers.d/nabd.conf", text=SYSUSERS)
    yield InstalledFile(path="/usr/lib/tmpfiles.d/nabd.conf", text=TMPFILES)
    for name in BROKER_FILES:
        file = deploy / "mosquitto" / name
        yield _program(f"{BROKER}/{name}", file)
    yield _program(f"{CADDY}/start", deploy / "caddy/start")
    caddyfile = (deploy / "caddy/Caddyfile").read_text(encoding="utf-8")
    yield InstalledFile(path=CADDYFILE, text=caddyfile, administrators=True)


def _program(path: str, file: Path) -> InstalledFile:
    return InstalledFile(path=path, text=file.read_text(encoding="utf-8"), mode=file.stat().st_mode & 0o777)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutcome:
    """What became of a file: written, as before, or kept as the administrator has it."""

    path: str
    outcome: str


def write(files: list[InstalledFile], root: Path, *, dry_run: bool) -> list[FileOutcome]:
    """Write files below a root; each is whole or as before, since its new text takes its place at once.

    Raises:
        OSError: one cannot be written; those before it are.
    """
    return [FileOutcome(path=one.path, outcome=_write(one, root, dry_run=dry_run)) for one in files]


def _write(file: InstalledFile, root: Path, *, dry_run: bool) -> str:
    path = root / file.path.lstrip("/")
    there = path.read_text(encoding="utf-8") if path.exists() else None
    if there == file.text:
        return "as before"
    if there is not None and file.administrators:
        return "kept: yours differs"
    if not dry_run:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.new")
        new.write_text(file.text, encoding="utf-8")
        new.chmod(file.mode)
        new.replace(path)
    return "new" if there is None else "changed"
