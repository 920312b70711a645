"""Hardware that was replaced is no second sender, although its numbers begin anew."""

from __future__ import annotations

from devices.columns import Columns
from rules.context.attributes import Facts, build
from rules.engine.evaluate import step
from rules.engine.state import RuleState
from tests.unit.rules.readings import at, columns_of, program_of, rule, told

TWO = rule("levels: {minor: interleaved()}")
BOOTS = [(1, 10), (2, 0), (2, 1)]
"""What the old hardware counted: it was restarted once."""
NEW = [(1, 11), (1, 12)]
"""What the new one counts: as the old one did before its restart."""


def numbered(numbers: list[tuple[int, int]], minute: int) -> Columns:
    columns = columns_of([at(minute + i, fill_pct=10.0) for i in range(len(numbers))])
    columns.boot[:] = [boot for boot, _ in numbers]
    columns.seq[:] = [seq for _, seq in numbers]
    return columns


def senders(replaced: int) -> list[tuple[str, str, float]]:
    """Return what is told once the new numbers come."""
    program = program_of(TWO)
    state = RuleState(program)
    found = []
    for numbers, minute, count in ((BOOTS, 0, 0), (NEW, 10, replaced)):
        known = build({1: Facts(attributes={}, replaced=count)}, numbers=program.numbers, texts=program.texts)
        made = step(program, state, numbered(numbers, minute), known)
        state.adopt(made.changes)
        found += told(made.transitions)
    return found


def test_numbers_that_go_on_where_another_was_are_a_second_sender() -> None:
    assert senders(0)[0] == ("firing", "minor", 10)


def test_numbers_of_other_hardware_go_on_nowhere() -> None:
    assert senders(1) == []
