"""The text of rules as the console writes it: what it writes is read as it was meant."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from devices.kinds import load
from rules.loading.files import PACKS, parse
from tests.parts import need_node

MODULE = Path(__file__).parents[3] / "api/console/admin/rules/rule_text.js"
KINDS = load()
SUMMARY = dict.fromkeys(("en", "fr", "ar"), "{device}")
LIMIT = {
    "template": "limit",
    "id": "warm",
    "kind": "bin",
    "measurement": "temperature_c",
    "sign": ">=",
    "levels": [["minor", 50], ["critical", 60.5]],
    "clear": 45,
    "attribute": "warm_from",
    "hold": "2 readings",
    "summary": SUMMARY,
}
RATE = LIMIT | {
    "template": "rate",
    "levels": [["major", 5]],
    "clear": None,
    "window": "1h",
    "attribute": None,
}
SILENCE = {
    "template": "silence",
    "id": "still",
    "kind": "bin",
    "missing": 4,
    "atLeast": "1h",
    "severity": "minor",
    "summary": SUMMARY,
}
FENCE = {"template": "geofence", "id": "away", "kind": "drone", "severity": "major", "summary": SUMMARY}


def ran(script: str, given: Any) -> Any:
    """Return what a script prints that knows the module's names and `given`."""
    need_node()
    source = f"import * as text from {json.dumps(MODULE.as_uri())};\nconst given = {json.dumps(given)};\n"
    done = subprocess.run(
        ["node", "--input-type=module", "-e", f"{source}console.log(JSON.stringify({script}))"],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def test_every_rule_of_the_packs_is_written_as_it_is() -> None:
    rules = [rule for pack in sorted(PACKS.glob("*.yaml")) for rule in yaml.safe_load(pack.read_text())]

    texts = ran("given.map((rule) => text.toYaml(rule))", rules)

    assert len(rules) > 30
    assert [yaml.safe_load(written) for written in texts] == rules


@pytest.mark.parametrize("said", [LIMIT, RATE, SILENCE, FENCE], ids=lambda said: str(said["template"]))
def test_form_writes_a_rule_that_is_accepted(said: dict[str, Any]) -> None:
    written = ran("text.toYaml(text.definitionOf(given))", said)

    (rule,) = parse(written, KINDS)
    assert rule.id == said["id"]


def test_limit_is_found_and_changed_and_what_follows_it_stays() -> None:
    rule = {
        "levels": {
            "warning": "fill_pct >= attr(overflow_at, 85) and not blocked",
            "major": "rate(x, '1h') > 3",
        },
        "clear": "fill_pct < 70 or emptied",
    }

    lower = "text.withLimit(given, ['levels', 'warning'], 80.5)"
    limits, changed = ran(f"[text.limitsOf(given), text.withLimit({lower}, ['clear'], 65)]", rule)

    assert [(one["path"], one["limit"], one["attribute"]) for one in limits] == [
        (["levels", "warning"], 85, "overflow_at"),
        (["clear"], 70, None),
    ]
    assert changed == {
        "levels": {
            "warning": "fill_pct >= attr(overflow_at, 80.5) and not blocked",
            "major": "rate(x, '1h') > 3",
        },
        "clear": "fill_pct < 65 or emptied",
    }
