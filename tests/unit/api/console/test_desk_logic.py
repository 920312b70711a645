"""What the alert desk works out by itself: times of a town, groups, and which alerts fit the filters."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import api
from tests.parts import need_node

QUEUE = Path(api.__file__).parent / "console/queue"


def worked_out(module: str, expression: str) -> Any:
    """Return what an expression over the exports of a module of the console comes to."""
    need_node()
    found = (QUEUE / module).resolve().as_uri()
    script = f"import * as m from {json.dumps(found)}; console.log(JSON.stringify({expression}))"
    said = subprocess.run(
        ["node", "--input-type=module", "-e", script], check=True, capture_output=True, text=True, timeout=30
    )
    return json.loads(said.stdout)


def test_times_are_those_of_the_town_when_its_clocks_change_too() -> None:
    # Beirut: 2 h ahead of UTC in winter, 3 h in summer; on 29 March 2026 the clocks skip 0:00 to 1:00, and
    # have 23:30 of 24 October twice.
    said = worked_out(
        "../shell/moments.js",
        """["2026-01-15T03:00", "2026-07-15T03:00", "2026-03-28T23:30", "2026-03-29T00:30",
            "2026-03-29T03:00", "2026-10-24T23:30"].map((text) => {
            const at = m.fromLocalText(text, "Asia/Beirut");
            return [new Date(at).toISOString(), m.localText(at, "Asia/Beirut")];
        })""",
    )

    assert said == [
        ["2026-01-15T01:00:00.000Z", "2026-01-15T03:00"],
        ["2026-07-15T00:00:00.000Z", "2026-07-15T03:00"],
        ["2026-03-28T21:30:00.000Z", "2026-03-28T23:30"],
        ["2026-03-28T22:30:00.000Z", "2026-03-29T01:30"],
        ["2026-03-29T00:00:00.000Z", "2026-03-29T03:00"],
        ["2026-10-24T20:30:00.000Z", "2026-10-24T23:30"],
    ]


def test_morning_is_the_next_one_at_seven() -> None:
    said = worked_out(
        "../shell/moments.js",
        """["2026-01-15T06:59", "2026-01-15T07:00", "2026-01-15T23:30"].map((text) => {
            const at = m.fromLocalText(text, "Asia/Beirut");
            return m.localText(m.nextMorning(at, "Asia/Beirut"), "Asia/Beirut");
        })""",
    )

    assert said == ["2026-01-15T07:00", "2026-01-16T07:00", "2026-01-16T07:00"]


ALERTS = json.dumps(
    [
        {"id": 1, "device": "light-1", "parent": "C-1", "district": "port", "inhibited_by": 3},
        {"id": 2, "device": "bin-1", "parent": None, "district": None, "inhibited_by": None},
        {"id": 3, "device": "C-1", "parent": None, "district": "port", "inhibited_by": None},
        {"id": 4, "device": "light-2", "parent": "C-1", "district": "port", "inhibited_by": 3},
        {"id": 5, "device": "bin-2", "parent": None, "district": None, "inhibited_by": 9},
    ]
)


def groups(by: str) -> list[tuple[str, list[int]]]:
    """Return the groups of ALERTS; what another of them explains is negative."""
    found = worked_out("groups.js", f"m.grouped({ALERTS}, {json.dumps(by)})")
    return [
        (group["key"], [one["alert"]["id"] * (-1 if one["below"] else 1) for one in group["items"]])
        for group in found
    ]


def test_alerts_stand_below_the_one_that_explains_them() -> None:
    assert groups("incident") == [("", [2, 3, -1, -4, 5])]


def test_circuit_stands_with_what_it_feeds_and_those_without_come_last() -> None:
    assert groups("circuit") == [("C-1", [1, 3, 4]), ("", [2, 5])]
    assert groups("district") == [("port", [1, 3, 4]), ("", [2, 5])]
    assert groups("") == [("", [1, 2, 3, 4, 5])]


def test_filters_say_yes_or_no_and_leave_words_and_teams_to_the_server() -> None:
    alert = {
        "id": 1, "state": "firing", "severity": "major", "kind": "bin", "district": "port", "rule": "full",
        "acknowledged_at": None, "assigned_to": "rima", "opened_at": "2026-01-15T03:00:00Z",
        "resolved_at": None,
    }  # fmt: skip
    places: list[tuple[dict[str, str], bool | None]] = [
        ({}, True),
        ({"severity": "critical"}, False),
        ({"severity": "major", "district": "port", "unseen": "1"}, True),
        ({"mine": "1"}, True),
        ({"state": "resolved"}, False),
        ({"until": "2026-01-15T03:00:00Z"}, False),
        ({"from": "2026-01-15T05:00:00Z"}, True),
        ({"words": "bin"}, None),
        ({"team": "lights", "kind": "light"}, False),
    ]

    said = worked_out(
        "../shell/filters.js",
        f"{json.dumps([place for place, _ in places])}.map((p) => m.fits(p, {json.dumps(alert)}, 'rima'))",
    )

    assert said == [expected for _, expected in places]


def test_trend_is_told_from_the_newest_values() -> None:
    rows = {
        "rising": [[i, 10.0 * i] for i in range(8)],
        "falling": [[i, 100 - 10.0 * i] for i in range(8)],
        "steady": [[i, [20.0, 80.0][i % 2]] for i in range(2)] + [[i, 50.0] for i in range(2, 12)],
    }

    for expected, points in rows.items():
        assert worked_out("trend.js", f"m.trend({json.dumps(points)})") == expected
    assert worked_out("trend.js", "m.trend([[0, 1], [1, 2]])") is None
