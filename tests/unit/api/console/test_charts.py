"""What charts draw, as numbers: run through node, without a browser."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import api
from tests.parts import need_node

SERIES = (Path(api.__file__).parent / "console/shell/series.js").as_uri()


def js(expression: str) -> Any:
    """Return the value of an expression that knows the functions of series.js."""
    need_node()
    script = (
        f"import {{ runs, aligned, extent, nearest }} from {json.dumps(SERIES)};"
        f"console.log(JSON.stringify({expression}))"
    )
    said = subprocess.run(
        ["node", "--input-type=module", "-e", script], check=True, capture_output=True, text=True, timeout=30
    )
    return json.loads(said.stdout)


def test_lines_end_at_gaps_and_leave_suspect_values_out() -> None:
    points = "[[0, 1], [10, 2], [20, 900, 900, 900, true], [25, 3], [100, 4], [110, 5]]"

    found, joined = js(
        f"[runs({{ points: {points}, gap_ms: 20 }}),"
        f" aligned([{{ points: {points}, gap_ms: 20 }}, {{ points: [[5, 7, 6, 9]] }}])]"
    )

    assert found == [[[0, 1], [10, 2], [25, 3]], [[100, 4], [110, 5]]]
    assert joined["instants"] == [0, 5, 10, 25, 62.5, 100, 110]
    # JSON writes what is undefined as null too; the end of a line is the only null that stands there as one.
    assert joined["rows"][0]["value"] == [1, None, 2, 3, None, 4, 5]
    assert joined["rows"][1]["low"][1] == 6
    assert joined["rows"][1]["high"][1] == 9


def test_axis_reaches_least_and_most_and_a_limit_that_is_near() -> None:
    believed = "[{ points: [[0, 40, 20, 60], [1, 500, 500, 500, true]] }]"

    alone, near, far, still = js(
        f"[extent({believed}, []), extent({believed}, [{{ value: 80 }}]),"
        f" extent({believed}, [{{ value: 9000 }}]), extent([{{ points: [[0, 0]] }}], [])]"
    )

    assert alone[0] <= 20
    assert 60 <= alone[1] < 70
    assert near[1] >= 80
    assert far == alone
    assert still[0] == 0, "what is never negative gets no axis below nought"


def test_cursor_finds_the_nearest_reading() -> None:
    assert js("[nearest([[0, 1], [10, 2], [30, 3]], 19, 15), nearest([[0, 1]], 99, 5), nearest([], 1)]") == [
        [10, 2],
        None,
        None,
    ]
