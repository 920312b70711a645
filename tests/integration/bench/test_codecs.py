"""`nabd bench codecs` measures the real profiles and a real process."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from bench.cli import app


def test_last_line_has_what_a_core_reads_in_a_second() -> None:
    said = CliRunner().invoke(app, ["codecs", "--messages", "100"])

    found = json.loads(said.stdout.splitlines()[-1])
    assert found["profile_per_s"] > 0
    assert found["javascript_per_s"] > 0
    assert set(found["javascript"]) == {"small", "long", "extending"}
    assert "dragino-ldds75" in found["profiles"]
    missed = found["profile_per_s"] < 10_000 or found["javascript_per_s"] < 1_000
    assert said.exit_code == int(missed)
