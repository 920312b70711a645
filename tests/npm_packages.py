"""The npm packages that some tests need, installed from a lock file beside them."""

from __future__ import annotations

import fcntl
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

INSTALL_S = 50.0
"""Two processes of tests may wait for it one after the other, within one test's time limit."""
INSTALL = [
    "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund",
    # Without a network that is known within seconds; npm's own patience is over a minute.
    "--prefer-offline", "--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=20000",
]  # fmt: skip


class CannotInstall(Exception):
    """The npm packages are not there and cannot be installed; the text says why."""


def install_into(directory: Path, package: str, options: Sequence[str] = ()) -> None:
    """Install the locked packages of a directory where `package` is not there yet.

    Raises:
        CannotInstall: npm failed, for instance because it reaches no registry.
    """
    # Tests run in several processes, and npm takes its time.
    with (directory / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "node_modules" / package).is_dir():
            _install(directory, options)


def _install(directory: Path, options: Sequence[str]) -> None:
    try:
        done = subprocess.run(
            [*INSTALL, *options],
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,
            timeout=INSTALL_S,
        )
    except subprocess.TimeoutExpired as error:
        raise CannotInstall(f"npm was not ready after {INSTALL_S:.0f} s") from error
    if done.returncode:
        code = re.search(r"^npm (?:error|ERR!) code (\S+)$", done.stderr, re.MULTILINE)
        raise CannotInstall(f"npm says {code[1] if code else done.stderr.strip()[-200:]}")
