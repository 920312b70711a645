"""The parts of a machine that some tests need, and what happens to a test whose part is missing.

The test is skipped, or fails where NABD_REQUIRE_ALL=1. What was skipped is said once more at the very end of
a run, a line for each missing part with the command that brings it. `scripts/test-parts` installs them.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

import pytest

from nabd.embedded.broker import find_mosquitto


@dataclass(frozen=True, slots=True, kw_only=True)
class MachinePart:
    """Something that a test may need of its machine.

    Attributes:
        name: as in "no mosquitto".
        remedy: what brings it, a command where there is one.
        required: missing it is a failure where NABD_REQUIRE_ALL=1.
    """

    name: str
    remedy: str
    required: bool = True


MOSQUITTO = MachinePart(name="mosquitto", remedy="apt-get install mosquitto")
MOSQUITTO_CLIENTS = MachinePart(name="mosquitto_pub", remedy="apt-get install mosquitto-clients")
CHROMIUM = MachinePart(name="chromium", remedy="apt-get install chromium")
CADDY = MachinePart(name="caddy", remedy="apt-get install caddy")
SYSTEMD = MachinePart(name="systemd-analyze", remedy="take a machine with systemd", required=False)
NODE = MachinePart(name="node", remedy="apt-get install nodejs npm")
TIMESCALE_PACKAGES = MachinePart(
    name="npm packages of TimescaleDB",
    remedy="cd tests/timescale && npm ci --legacy-peer-deps, or set NABD_TEST_TIMESCALE_DSN",
)
OIDC_PACKAGES = MachinePart(name="npm package oidc-provider", remedy="cd tests/oidc && npm ci")
SCHEMA_PACKAGES = MachinePart(name="npm package @grafana/schema", remedy="cd tests/grafana && npm ci")
STANDARD_CLIENTS = MachinePart(
    name="clients of other standards",
    remedy="scripts/test-parts",
)
ROOT = MachinePart(name="right to mount a disk", remedy="run the tests as root", required=False)
MOUNT = MachinePart(name="disk that can be mounted", remedy="allow the container to mount")


def missing(part: MachinePart, detail: str = "") -> NoReturn:
    """Skip the test that needs the part, or fail it where all are required.

    Args:
        part: what this machine lacks.
        detail: what went wrong, in a few words.
    """
    reason = f"no {part.name}{f' ({detail})' if detail else ''}; {part.remedy}"
    if part.required and os.environ.get("NABD_REQUIRE_ALL") == "1":
        pytest.fail(f"{reason} (NABD_REQUIRE_ALL=1)", pytrace=False)
    pytest.skip(reason)


def need_mosquitto() -> None:
    """Go on where the machine has a mosquitto."""
    if not find_mosquitto():
        missing(MOSQUITTO)


def need_node() -> None:
    """Go on where the machine has node and npm."""
    if not (shutil.which("node") and shutil.which("npm")):
        missing(NODE)


def chromium() -> str:
    """Return the path of this machine's Chromium."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    missing(CHROMIUM)


def closing_lines(skipped: Iterable[object]) -> list[str]:
    """Return a line for each reason why tests were skipped, the most frequent first.

    Args:
        skipped: pytest's account of each skipped test: (file, line, "Skipped: no mosquitto; ...").
    """
    reasons = (account[2] for account in skipped if isinstance(account, tuple))
    counts = Counter(reason.removeprefix("Skipped: ") for reason in reasons)
    return [
        f"skipped {count} {'test' if count == 1 else 'tests'}: {reason}"
        for reason, count in counts.most_common()
    ]
