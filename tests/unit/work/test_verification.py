"""What becomes of a done order, by what is known of its condition."""

from __future__ import annotations

from dataclasses import replace

import pytest

from work.clocks.verification import QuietFacts, VerificationOutcome, outcome

QUIET = QuietFacts(over=True, fires=False, explained=False, began_after=False, heard=True, by_readings=False)
FIRING = replace(QUIET, fires=True, by_readings=True)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (QUIET, VerificationOutcome.VERIFY),
        (replace(QUIET, over=False), VerificationOutcome.WAIT),
        (replace(QUIET, heard=False), VerificationOutcome.WAIT),
        (FIRING, VerificationOutcome.REOPEN),
        (replace(FIRING, over=False), VerificationOutcome.WAIT),
        # A firing alert of a device that is not heard says nothing about the repair, unless it is silence.
        (replace(FIRING, heard=False), VerificationOutcome.WAIT),
        (replace(FIRING, heard=False, by_readings=False), VerificationOutcome.REOPEN),
        # The condition began anew: nobody waits.
        (replace(FIRING, over=False, began_after=True), VerificationOutcome.REOPEN),
        # Its circuit is down: that says nothing about the repair, now or later.
        (replace(FIRING, explained=True, began_after=True), VerificationOutcome.WAIT),
    ],
)
def test_outcome(facts: QuietFacts, expected: VerificationOutcome) -> None:
    assert outcome(facts) is expected
