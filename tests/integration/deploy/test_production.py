"""The small form of `make production-local`: installed from nothing, every account and door, nothing lost.

Devices of others are in it: a bridge that is killed, and a broker that is away, lose and repeat nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.parts import need_mosquitto


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory not below pytest's: whoever starts another pytest shuts that to the server's user."""
    with tempfile.TemporaryDirectory(prefix="nabd-test-") as directory:
        yield Path(directory) / "production"


@pytest.mark.timeout(300)
def test_installation_from_nothing_loses_nothing_and_lets_nobody_in_without_tls(place: Path) -> None:
    need_mosquitto()
    command = [sys.executable, "-m", "nabd", "bench", "production", "--for", "12s"]
    sizes = ["--devices", "12", "--lorawan", "24", "--keep", str(place)]

    done = subprocess.run([*command, *sizes], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["sent"] >= 12
    assert (told["lost"], told["duplicated"], told["altered"]) == (0, 0, 0)
    assert told["stored"] >= told["sent"]
    assert told["refused_plaintext"] is True
    assert (told["devices"], told["accounts"]) == (12, 5)
    assert told["https"] is not False
    _holds(told["lorawan"])
    for log in (place / "logs").glob("nabd-*.log"):
        said = log.read_text(encoding="utf-8")
        assert "permission denied" not in said, log.name
        assert '"level": "error"' not in said, log.name


def _holds(others: dict[str, Any]) -> None:
    """Every frame that a network server heard is one reading, whatever happened on its way."""
    assert (others["devices"], others["models"], others["sources"]) == (24, 4, 2)
    assert others["stored"] == others["sent"] >= 72 - others["lost_on_air"]
    wrong = ("lost", "duplicated", "altered", "rejected")
    assert {name: others[name] for name in wrong} == dict.fromkeys(wrong, 0)
    assert others["lost_on_air"] > 0
    assert min(others["copies"], others["recognised"]) > 0
    assert all(others["faults"].values()), others["faults"]
    assert {"late_copy_clock_ahead", "clock_behind_alone", "rejoined", "overtaken"} <= set(others["faults"])
    assert (others["faults"]["bridge_killed"], others["faults"]["broker_away"]) == (1, 1)
