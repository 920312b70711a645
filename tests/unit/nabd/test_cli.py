"""What the command line says of what it cannot use: one line that names the fix, never a traceback."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from devices.registry.errors import AlreadyExists
from nabd import doctor
from nabd.cli import app, bench, run, values
from nabd.cli.output import cell, line, table, translated
from nabd.settings import Settings
from tests.waiting import now


def nabd(*arguments: str) -> tuple[int, str]:
    """Run a command and return its exit code and what it complained of."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stderr


@pytest.mark.parametrize("url", ["mqtt://h:abc", "http://h", "h:1883", "mqtt://"])
def test_broker_that_is_no_address_is_named(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("NABD_BROKER", url)

    code, said = nabd("tail")

    assert code == 1
    assert "NABD_BROKER: " in said
    assert "expected mqtt://" in said


def test_broker_with_tls_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NABD_BROKER", "mqtts://127.0.0.1:1")

    code, said = nabd("tail")

    assert code == 1
    assert "broker mqtts://127.0.0.1:1: " in said


@pytest.mark.parametrize("arguments", [("ledger",), ("device", "list"), ("sweep",)])
def test_variable_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("NABD_CLOCK", "noon")

    code, said = nabd(*arguments)

    assert code == 2
    assert "NABD_CLOCK" in said


@pytest.mark.parametrize("arguments", [("rule", "check"), ("validate", "--kind", "bin")])
def test_directory_of_kinds_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("NABD_KINDS_DIR", "/nowhere")
    file = tmp_path / "file"
    file.write_text("{}")

    code, said = nabd(*arguments, str(file))

    assert code == 1
    assert "NABD_KINDS_DIR" in said


def test_validate_tells_the_known_words_and_asks_what_a_height_is_counted_from(tmp_path: Path) -> None:
    file = tmp_path / "flight.json"
    file.write_text('{"flight_phase": "AUTO", "alt_m": 246}')

    result = CliRunner().invoke(app, ["validate", "--kind", "drone", "--json", str(file)])

    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert "suspect: flight_phase" in told["detail"]
    assert "flight_phase: 'AUTO' is none of its words" in told["detail"]
    assert "known: docked, fault, landing, returning, spraying, takeoff, transit" in told["detail"]
    assert "alt_m 246: is it above the ground at home; from sea level: set home_alt_m?" in told["detail"]


def test_validate_names_what_became_a_measurement_and_what_the_others_may_mean(tmp_path: Path) -> None:
    files = [tmp_path / "some.json", tmp_path / "vendor.json"]
    files[0].write_text('{"fill_pct": 40, "temperature": 21}')
    files[1].write_text('{"batteryVoltage": 3.6, "fw": "2.1"}')

    result = CliRunner().invoke(app, ["validate", "--kind", "bin", "--json", *map(str, files)])

    some, nothing = map(json.loads, result.stdout.splitlines())
    assert result.exit_code == 0
    assert (some["measurements"], some["extra"]) == (["fill_pct"], {"temperature": "temperature_c, in Cel?"})
    assert (nothing["measurements"], nothing["extra"]) == (
        [],
        {"batteryVoltage": "battery_v, in V?", "fw": None},
    )
    assert "no measurement in it" in nothing["detail"]
    assert "batteryVoltage (did you mean battery_v, in V?), fw" in nothing["detail"]


def test_validate_asks_for_the_unit_of_a_counter_that_cannot_be(tmp_path: Path) -> None:
    file = tmp_path / "lamp.json"
    file.write_text('{"burn_hours": 10800000, "energy_kwh": 1204600}')

    result = CliRunner().invoke(app, ["validate", "--kind", "light", "--json", str(file)])

    told = json.loads(result.stdout)["detail"]
    assert "seconds?" in told
    assert "Wh?" in told


@pytest.mark.parametrize("level", ["#", "a/b", "bin+"])
def test_tail_refuses_what_is_no_level_of_a_topic(monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    monkeypatch.setenv("NABD_BROKER", "mqtt://127.0.0.1:1")

    code, said = nabd("tail", level)

    assert code == 2
    assert "one name" in said


def test_up_says_at_once_that_its_port_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "nabd", "up"],
            env={"NABD_HTTP_PORT": str(port), "NABD_DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    assert done.returncode == 1
    assert "already in use" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_demo_refuses_to_keep_itself_where_another_one_is(tmp_path: Path) -> None:
    (tmp_path / "publish.jsonl").write_text("{}")

    code, said = nabd("demo", "--keep", str(tmp_path), "--for", "1s")

    assert code == 1
    assert "is not empty" in said
    assert (tmp_path / "publish.jsonl").read_text() == "{}"


def test_instant_before_the_calendar_is_refused() -> None:
    with pytest.raises(typer.BadParameter, match="before the calendar"):
        values.instant("999999d", now())


async def test_doctor_looks_at_the_disk_of_a_directory_that_is_not_made_yet(tmp_path: Path) -> None:
    findings = await doctor.examine(Settings(data_dir=tmp_path / "a" / "b" / "c"))

    assert "disk" in {finding.subject for finding in findings}


def test_bench_says_where_it_is_when_there_is_no_checkout(tmp_path: Path) -> None:
    installed = typer.Typer()
    installed.command("other")(lambda: None)
    installed.add_typer(bench.of_checkout(tmp_path), name="bench")

    result = CliRunner().invoke(installed, ["bench", "ingest", "--json"])

    assert result.exit_code == 1
    assert "checkout" in result.stderr


def test_commands_and_ingest_start_without_the_web_framework() -> None:
    # It is half of what there would be to load, at every start of ingest and of every command.
    program = (
        "import sys, nabd.cli; print([m for m in ('fastapi', 'starlette', 'uvicorn') if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


async def test_start_says_why_there_is_no_sign_in_link_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(settings: Settings) -> str:
        raise AlreadyExists("person", "admin", "")

    monkeypatch.setattr(run, "link_of", refused)

    first, second = await run._link_or_why_not(Settings())

    assert "no link could be made" in first
    assert "`nabd user first`" in second


def test_only_isolates_of_translated_texts_reach_the_terminal() -> None:
    turning = "\u202a\u202e\u2066\u2068\u2069\x1b"

    assert cell(turning) == "\ufffd" * len(turning), "a device said it"
    assert translated(turning).plain == "\ufffd\ufffd\u2066\u2068\u2069\ufffd"


def test_lines_and_tables_of_both_kinds(capsys: pytest.CaptureFixture[str]) -> None:
    line("\u2068bin-1\u2069\nx")
    line(translated("\u2068bin-1\u2069\nx"))
    table(["a", "b"], [["\u2069", translated("\u2068z\u2069")]])

    said = capsys.readouterr().out
    assert said.startswith("\ufffdbin-1\ufffd\nx\n\u2068bin-1\u2069\nx\n")
    assert "\u2068z\u2069" in said
    assert said.count("\ufffd") == 3
