"""What /work makes of orders, asked of its module in node."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

import api
from tests.parts import need_node

RULES = Path(api.__file__).parent / "console/work/rules.js"
NOON = 1_767_268_800_000


def asked(*expressions: str) -> list[Any]:
    """Return what expressions over the module `r` come to."""
    need_node()
    script = f"import * as r from {json.dumps(RULES.as_uri())};\n" + "\n".join(
        f"console.log(JSON.stringify({one}) ?? 'null')" for one in expressions
    )
    said = subprocess.run(
        ["node", "--input-type=module", "-e", script], check=True, capture_output=True, text=True, timeout=30
    )
    return [json.loads(line) for line in said.stdout.splitlines()]


def order(**given: Any) -> str:
    """Return an order as the API shows it, in JSON."""
    plain = {
        "id": 1,
        "state": "assigned",
        "severity": "major",
        "assignee": "rima",
        "accepted_at": None,
        "response_due_at": None,
        "repair_due_at": None,
        "lat": None,
        "lon": None,
    }
    return json.dumps(plain | given)


def test_deadline_is_of_accepting_until_somebody_has_then_of_the_repair() -> None:
    due = {"response_due_at": "2026-01-01T11:00:00Z", "repair_due_at": "2026-01-01T13:00:00Z"}

    first, then, over, none = asked(
        f"r.deadline({order(**due)}, {NOON})",
        f"r.deadline({order(**due, accepted_at='2026-01-01T10:00:00Z')}, {NOON})",
        f"r.deadline({order(**due, state='done')}, {NOON})",
        f"r.deadline({order()}, {NOON})",
    )

    assert (first["name"], first["late"]) == ("response", True)
    assert (then["name"], then["late"]) == ("repair", False)
    assert (over, none) == (None, None)


def test_orders_come_by_deadline_or_by_distance_and_those_without_come_last() -> None:
    orders = ",".join(
        [
            order(id=1),
            order(id=2, repair_due_at="2026-01-02T12:00:00Z", lat=34.44, lon=35.85),
            order(id=3, repair_due_at="2026-01-03T12:00:00Z", lat=34.4368, lon=35.8497),
            order(id=4, severity="critical"),
        ]
    )
    here = "{lat: 34.4367, lon: 35.8497}"
    names = '["critical", "major"]'

    by_deadline, by_distance, unplaced = asked(
        f"r.sorted([{orders}], null, {here}, {NOON}, {names}).map((o) => o.id)",
        f"r.sorted([{orders}], 'distance', {here}, {NOON}, {names}).map((o) => o.id)",
        f"r.sorted([{orders}], 'distance', null, {NOON}, {names}).map((o) => o.id)",
    )

    assert by_deadline == unplaced == [2, 3, 4, 1]
    assert by_distance == [3, 2, 4, 1]


def test_distance_is_that_on_the_sphere() -> None:
    degree, none = asked(
        "r.metresBetween({lat: 34, lon: 35}, {lat: 35, lon: 35})",
        f"r.farFrom({order()}, {{lat: 34, lon: 35}})",
    )

    assert degree == pytest.approx(111_195, abs=5)
    assert none is None


@pytest.mark.parametrize(
    ("given", "steps"),
    [
        ({"state": "open", "assignee": None}, ["accept"]),
        ({"state": "assigned", "assignee": None}, ["accept", "decline"]),
        ({"state": "accepted"}, ["on-the-way", "start", "decline"]),
        ({"state": "in-progress"}, ["done", "decline"]),
        ({"state": "accepted", "assignee": "amina"}, []),
        ({"state": "accepted", "assignee": None}, []),
        ({"state": "done"}, []),
    ],
)
def test_technician_has_the_steps_of_their_own_work(given: dict[str, Any], steps: list[str]) -> None:
    (found,) = asked(f"r.stepsOf({order(**given)}, {{user: 'rima', directs: false}})")

    assert found == steps


def test_what_waits_is_shown_as_done_and_what_was_refused_is_not() -> None:
    waiting = (
        "[{order: 1, step: 'accept', at: 'T1'}, {order: 1, step: 'photo'}, {order: 1, step: 'on-the-way'},"
        " {order: 2, step: 'done'}, {order: 1, step: 'start', problem: {}}]"
    )

    ahead, untouched = asked(
        f"r.withWaiting({order(assignee=None)}, {waiting}, 'rima')",
        f"r.withWaiting({order(id=3)}, {waiting}, 'rima')",
    )

    assert (ahead["state"], ahead["assignee"], ahead["accepted_at"]) == ("on-the-way", "rima", "T1")
    assert "ahead" not in untouched


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("bin-0007", "bin-0007"),
        (" bin:7 \n", "bin:7"),
        ("nabd.example/devices/bin%3A7?hours=1", "bin:7"),
        ("javascript:alert(1)", None),
        ("<b>", None),
        ("/devices/%", None),
        ("a" * 65, None),
    ],
)
def test_code_of_a_device_says_its_id_or_nothing(code: str, name: str | None) -> None:
    (found,) = asked(f"r.idOf({json.dumps(code)})")

    assert found == name


def test_report_leaves_out_what_was_not_answered() -> None:
    draft = {
        "done": " new lid ",
        "parts": [{"name": "lid", "quantity": "٢٫٥", "unit": ""}, {"name": " ", "quantity": "1"}],
        "answers": {"lid_closes": {"answer": "no", "remark": "bent"}, "clean": {"answer": None}},
    }

    (body,) = asked(f"r.reportOf({json.dumps(draft)})")

    assert body == {
        "found": "",
        "done": "new lid",
        "parts": [{"name": "lid", "quantity": 2.5, "unit": ""}],
        "checklist": [{"item": "lid_closes", "answer": "no", "remark": "bent"}],
    }
