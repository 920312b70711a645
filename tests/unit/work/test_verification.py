"""What becomes of a done order, by what is known of its condition."""

from __future__ import annotations

from dataclasses import replace

import pytest

from work.clocks.verification import Outcome, QuietFacts, outcome

QUIET = QuietFacts(over=True, fires=False, explained=False, began_after=False, heard=True, by_readings=False)
FIRING = replace(QUIET, fires=True, by_readings=True)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (QUIET, Outcome.VERIFY),
        (replace(QUIET, over=False), Outcome.WAIT),
        (replace(QUIET, heard=False), Outcome.WAIT),
        (FIRING, Outcome.REOPEN),
        (replace(FIRING, over=False), Outcome.WAIT),
        # A firing alert of a device that is not heard says nothing about the repair, unless it is silence.
        (replace(FIRING, heard=False), Outcome.WAIT),
        (replace(FIRING, heard=False, by_readings=False), Outcome.REOPEN),
        # The condition began anew: nobody waits.
        (replace(FIRING, over=False, began_after=True), Outcome.REOPEN),
        # Its circuit is down: that says nothing about the repair, now or later.
        (replace(FIRING, explained=True, began_after=True), Outcome.WAIT),
    ],
)
def test_outcome(facts: QuietFacts, expected: Outcome) -> None:
    assert outcome(facts) is expected
