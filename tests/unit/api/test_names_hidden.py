"""What is told of an alert to who may not see who did something, nor what people wrote."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from alerts.transition import Severity
from api.schemas.alerts import AlertEventOut, event_for
from people.identity import Identity, of_texts

SAID = {"condition": "the device was retired", "author": "Sami", "reason": "Samir took it"}


@pytest.mark.parametrize(
    ("role", "shown"),
    [("viewer@tripoli", SAID), ("ministry@tripoli", {"condition": "the device was retired"})],
)
def test_evidence_of_an_event_says_what_people_wrote_to_who_may_see_it(
    role: str, shown: dict[str, Any]
) -> None:
    event = AlertEventOut(
        id="1-1", alert_id=1, type="resolved", at=datetime(2026, 1, 1, tzinfo=UTC), severity=Severity.WARNING,
        evidence=SAID,
    )  # fmt: skip
    reader = Identity(principal=1, kind="person", name="rima", grants=of_texts([role, "viewer@nablus"]))

    assert event_for(reader, event, "tripoli").evidence == shown
