"""`nabd bench credentials` in its small form, with a real mosquitto."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from nabd.cli import app
from tests.parts import need_mosquitto


def test_bench_measures_a_reload_and_who_was_removed_is_out() -> None:
    need_mosquitto()
    done = CliRunner().invoke(
        app, ["bench", "credentials", "--devices", "300", "--connected", "20", "--json"]
    )

    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["devices"], found["connected"]) == (300, 20)
    assert 0 < found["sign_in_ms_p50"] <= found["sign_in_ms_p99"]
    assert 0 < found["reload_pause_s"] < 30
    assert 0 < found["out_s"] < 30
