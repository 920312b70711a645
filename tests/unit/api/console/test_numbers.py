"""Numbers as people type them, asked of the console's module in node."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import api
from tests.parts import need_node

NUMBERS = Path(api.__file__).parent / "console/shell/numbers.js"


def read(text: str, *, by_commas: bool) -> tuple[float | None, bool]:
    """Return the number that a text is, None where it is none, and whether it may be two."""
    need_node()
    asked = f"{json.dumps(text)}, {json.dumps(by_commas)}"
    script = (
        f"import * as n from {json.dumps(NUMBERS.as_uri())};"
        f"console.log(JSON.stringify([n.numberOf({asked}), n.isEither({asked})]));"
    )
    said = subprocess.run(
        ["node", "--input-type=module", "-e", script], check=True, capture_output=True, text=True, timeout=30
    )
    number, either = json.loads(said.stdout)
    return number, either


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1204.5", 1204.5),
        ("1204,5", 1204.5),
        ("1 204,5", 1204.5),
        ("1\u00a0204,5", 1204.5),
        ("1\u202f204\u202f300,5", 1204300.5),
        ("١٢٠٤٫٥", 1204.5),
        ("١٬٢٠٤", 1204),
        ("\u2212٣", -3),
        ("-3", -3),
        ("0,125", 0.125),
        ("1,2045", 1.2045),
        (" .5 ", 0.5),
        ("0x10", None),
        ("1e5", None),
        ("12 04", None),
        ("1 20", None),
        ("1.2.3", None),
        ("Infinity", None),
        ("", None),
        ("-", None),
    ],
)
def test_number_is_what_was_typed(text: str, number: float | None) -> None:
    assert read(text, by_commas=True) == (number, False)


def test_comma_before_three_digits_is_two_numbers_where_commas_group() -> None:
    assert read("1,204", by_commas=True) == (None, True)
    assert read("١,٢٠٤", by_commas=True) == (None, True)
    assert read("1,204", by_commas=False) == (1.204, False)
