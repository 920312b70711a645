"""The small form of `make production-local`: installed from nothing, every account and door, nothing lost."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

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
    command = [sys.executable, "-m", "nabd", "bench", "production", "--for", "6s", "--devices", "12"]

    done = subprocess.run([*command, "--keep", str(place)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["sent"] >= 12
    assert (told["lost"], told["duplicated"], told["altered"]) == (0, 0, 0)
    assert told["stored"] >= told["sent"]
    assert told["refused_plaintext"] is True
    assert (told["devices"], told["accounts"]) == (12, 5)
    assert told["https"] is not False
    for log in (place / "logs").glob("nabd-*.log"):
        said = log.read_text(encoding="utf-8")
        assert "permission denied" not in said, log.name
        assert '"level": "error"' not in said, log.name
