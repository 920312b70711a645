"""The rules that watch the platform: current files, known metrics, a runbook each."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from typer.testing import CliRunner

from nabd.cli import app
from nabd.watching import grafana, prometheus
from nabd.watching.rules import RULES, PlatformRule

ROOT = Path(__file__).parents[3]
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def test_committed_files_are_current(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["watch", "render", "--check", "--directory", str(ROOT / "deploy")])
    assert done.exit_code == 0, done.output

    stale = tmp_path / grafana.PATH
    stale.parent.mkdir(parents=True)
    stale.write_text("", encoding="utf-8")
    done = CliRunner().invoke(app, ["watch", "render", "--check", "--directory", str(tmp_path)])
    assert (done.exit_code, stale.read_text()) == (1, "")
    assert CliRunner().invoke(app, ["watch", "render", "--directory", str(tmp_path)]).exit_code == 0
    assert stale.read_text(encoding="utf-8") == grafana.text(RULES)


def test_every_rule_has_its_runbook_and_every_runbook_its_rule() -> None:
    runbooks = OPERATIONS[OPERATIONS.index("## Runbooks") :]
    headings = re.findall(r"^### (Nabd\w+)\n\n(.+)$", runbooks, re.MULTILINE)

    assert [name for name, _ in headings] == [rule.name for rule in RULES]


def test_rules_ask_for_metrics_that_exist() -> None:
    documented = set(re.findall(r"^\| `(nabd_\w+)` \|", OPERATIONS, re.MULTILINE))
    asked = {name for rule in RULES for name in re.findall(r"\bnabd_\w+", rule.left)}

    assert len(asked) > 15
    assert {name.removesuffix("_bucket") for name in asked} - documented == set()


def test_rules_fire_where_what_they_watch_was_never_there() -> None:
    said = {rule.name for rule in RULES if "absent(" in rule.left}

    silent = {f"Nabd{process}Silent" for process in ("Ingest", "Sweep", "Notifier")}
    assert said == {"NabdApiAway", "NabdBackupOld", "NabdBackupUnverified"} | silent


def test_both_files_say_the_same() -> None:
    (group,) = yaml.safe_load(prometheus.text(RULES))["groups"]
    (folder,) = yaml.safe_load(grafana.text(RULES))["groups"]

    def said(rule: PlatformRule) -> str:
        query, threshold = next(one for one in folder["rules"] if one["title"] == rule.name)["data"]
        evaluator = threshold["model"]["conditions"][0]["evaluator"]
        sign = {"gt": ">", "lt": "<"}[evaluator["type"]]
        return f"{query['model']['expr']} {sign} {evaluator['params'][0]:g}"

    for rule, one in zip(RULES, group["rules"], strict=True):
        assert one["alert"] == rule.name
        assert one["expr"].rsplit(" ", 1)[0] == said(rule).rsplit(" ", 1)[0]
        assert float(one["expr"].rsplit(" ", 1)[1]) == float(rule.right)
        assert one["for"] == f"{rule.minutes}m"
