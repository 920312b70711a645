"""Which span of time a device's charts show, and what is drawn together: run through node."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import api
from tests.parts import need_node

SPAN = (Path(api.__file__).parent / "console/device/span.js").as_uri()
NOW = "Date.parse('2026-03-28T12:00:00Z')"


def js(expression: str) -> Any:
    """Return the value of an expression that knows the functions of span.js."""
    need_node()
    script = f"import * as span from {json.dumps(SPAN)}; console.log(JSON.stringify({expression}))"
    said = subprocess.run(
        ["node", "--input-type=module", "-e", script], check=True, capture_output=True, text=True, timeout=30
    )
    return json.loads(said.stdout)


def test_address_says_a_preset_or_two_instants() -> None:
    week, dragged, nonsense, back = js(
        f"[span.spanOf({{ hours: '168' }}, {NOW}),"
        f" span.spanOf({{ hours: '6', from: '2026-03-01T00:00:00Z', until: '2026-03-02T00:00:00Z' }}, {NOW}),"
        f" span.spanOf({{ hours: 'x', from: 'y', until: '2026-03-02T00:00:00Z' }}, {NOW}),"
        f" span.moved(span.spanOf({{ hours: '24' }}, {NOW}), -1)]"
    )

    assert week["end"] - week["start"] == 168 * 3_600_000
    assert dragged["hours"] is None
    assert dragged["end"] - dragged["start"] == 24 * 3_600_000
    assert nonsense["hours"] == 24
    assert back == {"hours": None, "from": "2026-03-26T12:00:00Z", "until": "2026-03-27T12:00:00Z"}


def test_kind_without_panels_is_drawn_by_unit() -> None:
    def one(name: str, unit: str, kind: str = "number", **more: Any) -> dict[str, Any]:
        return {"name": name, "unit": unit, "type": kind, **more}

    measurements = [
        one("a", "V"),
        one("b", "Cel"),
        one("c", "V"),
        one("words", "", "text"),
        one("open", "", "boolean"),
        one("litres", "V", counter=True),
    ]

    drawn = js(f"span.groups({{ panels: [], measurements: {json.dumps(measurements)} }})")

    assert [[m["name"] for m in group] for group in drawn] == [["a", "c"], ["b"], ["open"], ["litres"]]
