"""`nabd rule` as a person or a script runs it, against a real database."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nabd.cli.rules import trial
from nabd.cli.rules.rule import app
from store import pool
from store.pool import connect
from tests.databases import run
from tests.integration.rules.ingestion import Ingestion
from tests.integration.rules.test_live import OVERFLOW, fills, rule
from tests.integration.rules.town import add_device
from tests.waiting import eventually


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def documents(self) -> list[Any]:
        """Its JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


def nabd(*arguments: str | Path) -> Done:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(code=result.exit_code, out=result.stdout, err=result.stderr)


def execute(dsn: str, statement: str) -> None:
    """Change something in the database behind the commands' back."""

    async def change() -> None:
        connection = await connect(dsn)
        await connection.execute(statement)
        await connection.close()

    run(change())


def done(*arguments: str | Path) -> Done:
    """Run a command that is to succeed."""
    result = nabd(*arguments)
    assert result.code == 0, result
    return result


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A rule file."""
    path = tmp_path / "bins.yaml"
    path.write_text(OVERFLOW, encoding="utf-8")
    return path


@pytest.fixture
def database(dsn: str, monkeypatch: pytest.MonkeyPatch, file: Path) -> str:
    """A database with the rule in force and a bin that overflowed once; commands find it."""
    monkeypatch.setenv("NABD_DATABASE", dsn)
    monkeypatch.setenv("USER", "rima")
    done("apply", file)

    async def live() -> None:
        connection = await connect(dsn)
        device = await add_device(connection, "B-1")
        await add_device(connection, "B-2")
        ingestion = await Ingestion(connection).start()
        for minute, fill in ((0, 50), (10, 90), (20, 91), (30, 60), (40, 60), (50, 86)):
            await ingestion.commit(fills(device, (minute, fill)))
        await connection.close()

    run(live())
    return dsn


@contextmanager
def readings_withheld(dsn: str, seconds: float) -> Iterator[None]:
    """Let whoever reads stored readings wait so long for the first of them."""
    locked = threading.Event()

    async def withhold() -> None:
        connection = await connect(dsn)
        async with connection.transaction():
            await connection.execute("LOCK TABLE bin_reading IN ACCESS EXCLUSIVE MODE")
            locked.set()

            async def somebody_waits() -> bool:
                waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
                return bool(await connection.fetchval(waiting))

            await eventually(somebody_waits)
            await asyncio.sleep(seconds)
        await connection.close()

    with ThreadPoolExecutor(max_workers=1) as thread:
        withholding = thread.submit(asyncio.run, withhold())
        locked.wait(20)
        yield
        withholding.result()


def test_test_of_rules_outlasts_what_other_commands_are_given(
    database: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "ANSWER_GRACE_S", 0.5 - pool.STATEMENT_TIMEOUT_S)
    with readings_withheld(database, seconds=1.0):
        (found,) = done("test", file, "--json").documents

    assert len(found["alerts"]) == 1


def test_test_of_rules_gives_up_when_it_gets_no_further(
    database: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "STALLED_S", 0.5)
    with readings_withheld(database, seconds=1.0):
        result = nabd("test", file)

    assert result.code == 1
    assert "did not answer as expected" in result.err


def test_mistake_is_told_with_its_place_and_what_was_meant(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(OVERFLOW.replace("fill_pct >= 85", "fil_pct >= 85"), encoding="utf-8")

    for command in ("check", "test"):
        result = nabd(command, path)

        assert result.code == 1
        assert (
            f"{path}:4:22: overflow, levels.warning: bin measures no fil_pct; did you mean fill_pct?"
            in result.err
        )


def test_backtest_says_how_the_live_rule_compares(database: str, file: Path) -> None:
    file.write_text(rule("overflow", "fill_pct >= 85", "for: 1 readings"), encoding="utf-8")

    (found,) = done("test", file, "--since", "12h", "--json").documents
    shown = done("test", file, "--since", "12h").out

    assert (len(found["alerts"]), found["live_alerts"], found["same"], found["only_test"]) == (2, 1, 1, 1)
    assert found["devices"] == 1
    assert found["flaps"] == 1
    assert sum(found["per_day"].values()) == 2
    assert "overflow: 2 alerts" in shown
    assert "only in this test: 1" in shown


def test_backtest_of_a_sweep_rule_says_the_same_as_of_any_other_and_what_it_cannot_know(
    database: str, file: Path
) -> None:
    sentences = "  summary: {en: '{device}', fr: '{device}', ar: '{device}'}\n"
    file.write_text(
        rule("overflow", "fill_pct >= 85", "for: 1 readings")
        + f"- id: quiet\n  kind: any\n{sentences}  silent: {{missing: 3 intervals}}\n"
        + f"- id: soon\n  kind: bin\n{sentences}  forecast: {{measurement: fill_pct, reaches: 85}}\n",
        encoding="utf-8",
    )

    stream, quiet, soon = done("test", file, "--since", "12h", "--json").documents
    (other,) = done("test", file, "--since", "12h", "--device", "B-2", "--kind", "bin", "--json").documents[
        :1
    ]
    shown = done("test", file, "--since", "12h").out

    assert set(quiet) == set(stream) == set(soon)
    # Readings came every ten minutes until three hours ago.
    assert [(a["device"], a["ended_at"]) for a in quiet["alerts"]] == [("B-1", None)]
    assert (quiet["readings"], quiet["devices_seen"], soon["alerts"]) == (6, 1, [])
    assert other["alerts"] == []
    assert (stream["notes"], len(quiet["notes"])) == ([], 2)
    assert "quiet: 1 alerts" in shown
    assert "note: when ingest itself was away is not kept" in shown


def test_backtest_of_another_kind_is_refused(database: str, file: Path) -> None:
    assert "no rule of kind light" in nabd("test", file, "--kind", "light").err


def test_rule_that_asks_for_the_sun_warns_of_devices_that_nobody_can_place(
    database: str, file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "by-day.yaml"
    other.write_text(rule("by-day", "fill_pct >= 85", "when: {sun: day}"), encoding="utf-8")
    assert done("check", file, other, "--json").documents == [
        {"rules": ["overflow", "by-day"], "costs": {"overflow": 1, "by-day": 1}, "warnings": []}
    ]
    execute(database, "UPDATE municipality SET lat = NULL")

    warned = done("check", file, other)
    (checked,) = done("check", file, other, "--json").documents
    difference = nabd("diff", other, "--json").documents
    shadowed = done("apply", other, "--shadow", "--json").documents
    applied = done("apply", other, "--json").documents

    assert "2 rules, nothing wrong" in warned.out
    sentence = "`when: {sun: day}` cannot be decided for 2 of kind bin, B-1 for one"
    assert f"nabd: warning: by-day: {sentence}" in warned.err
    (warning,) = checked["warnings"]
    assert warning["rule"] == "by-day"
    assert warning["message"].startswith(sentence)
    for document in (*difference, *shadowed, *applied):
        assert document["warnings"] == [warning]
    assert applied[0]["added"] == ["by-day"]

    execute(database, "UPDATE device SET lat = 32.9, lon = 13.2")
    assert done("check", other, "--json").documents[0]["warnings"] == []


def test_rule_files_can_be_checked_without_a_database_that_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "by-day.yaml"
    path.write_text(rule("by-day", "fill_pct >= 85", "when: {sun: day}"), encoding="utf-8")

    monkeypatch.delenv("NABD_DATABASE", raising=False)
    alone = done("check", path)
    monkeypatch.setenv("NABD_DATABASE", "postgresql://nobody@127.0.0.1:1/none")
    away = done("check", path)

    assert alone.out == away.out == "1 rules, nothing wrong; cost: 1 of 500 passes over each batch\n"
    assert alone.err == ""
    assert "cannot be reached" in away.err


def test_what_rules_cost_is_told_when_they_are_checked_and_applied(
    database: str, file: Path, tmp_path: Path
) -> None:
    dear = tmp_path / "dear.yaml"
    dear.write_text(rule("dear", 'fill_pct - baseline(fill_pct, "16d") > 40'), encoding="utf-8")
    costs = {"overflow": 1, "dear": 42}
    told = "cost: 42 of 500 passes over each batch for dear, the dearest; 43 together"

    assert done("check", file, dear).out == f"2 rules, nothing wrong; {told}\n"
    assert done("apply", file, dear, "--shadow").out.splitlines()[-1] == told
    assert done("apply", file, dear).out.splitlines()[-1] == told
    for arguments in (("check",), ("apply",), ("apply", "--shadow")):
        assert done(*arguments, file, dear, "--json").documents[0]["costs"] == costs


def test_diff_shows_what_would_change_and_exits_like_diff(database: str, file: Path) -> None:
    assert done("diff", file).out == "overflow: unchanged\n"
    file.write_text(OVERFLOW.replace("85", "80"), encoding="utf-8")

    result = nabd("diff", file)

    assert result.code == 1
    assert "overflow: changed (levels)" in result.out
    assert "-    warning: fill_pct >= 85" in result.out


def test_history_and_versions_are_shown(database: str, file: Path) -> None:
    file.write_text(OVERFLOW.replace("85", "80"), encoding="utf-8")
    done("apply", file, "--author", "Sami")

    told = [(c["version"], c["action"], c["author"]) for c in done("history", "overflow", "--json").documents]

    assert told == [(1, "applied", "rima"), (2, "applied", "Sami")]
    assert "fill_pct >= 85" in done("show", "overflow", "--version", "1").out
    assert "# version 2, in force" in done("show", "overflow").out


def test_shown_rule_can_be_applied_again(database: str, file: Path) -> None:
    file.write_text(done("show", "overflow").out, encoding="utf-8")

    assert done("apply", file, "--json").documents[0]["unchanged"] == ["overflow"]


def test_disabled_rule_is_listed_only_when_asked_for(database: str) -> None:
    done("disable", "overflow")

    assert done("list", "--json").documents == []
    (found,) = done("list", "--all", "--json").documents
    assert (found["state"], found["open_alerts"]) == ("disabled", 0)
    assert done("enable", "overflow").out == "overflow: version 2 is in force\n"


def test_shadow_goes_on_trial_and_is_promoted(database: str, file: Path) -> None:
    file.write_text(OVERFLOW.replace("85", "80"), encoding="utf-8")

    done("apply", file, "--shadow")
    (found,) = done("shadow", "--json").documents
    assert found["shadow"]["author"] == "rima"
    assert done("list", "--json").documents[0]["version"] == 1
    assert done("shadow", "overflow", "--promote").out == "overflow: version 2 is in force\n"
    assert "no rule is on trial" in done("shadow").out


def test_explanation_is_in_the_language_asked_for(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")

    assert "overflow est en attente sur B-1" in done("explain", "overflow", "B-1").out
    assert "قيد الانتظار" in done("explain", "overflow", "B-1", "--lang", "ar").out
    assert "readings in a row: 1" in done("explain", "overflow", "B-1", "--lang", "en").out
    assert nabd("explain", "overflow", "B-1", "--lang", "de").code == 2
    (found,) = done("explain", "overflow", "B-1", "--json").documents
    assert (found["state"], found["terms"][0]["value"]) == ("pending", 86)


def test_what_does_not_exist_is_one_line(database: str) -> None:
    for arguments in (
        ("show", "nothing"),
        ("history", "nothing"),
        ("disable", "nothing"),
        ("explain", "nothing", "B-1"),
        ("explain", "overflow", "B-9"),
        ("shadow", "nothing"),
        ("shadow", "nothing", "--drop"),
    ):
        result = nabd(*arguments)

        assert result.code == 1
        assert len(result.err.splitlines()) == 1
