"""What a subscription asks for, made into conditions."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alerts.overview.now import DeviceNow
from api.standards.ngsi_ld.subscriptions.changes import DeviceChange
from api.standards.ngsi_ld.subscriptions.document import SubscriptionDocument
from api.standards.ngsi_ld.subscriptions.selection import selection_of
from devices import kinds

KINDS = kinds.load()
CHANGE = DeviceChange(name="bin-1", heard=True, registered=True, alerted=True)


def device(title: str) -> DeviceNow:
    return DeviceNow(
        id=1, name="bin-1", kind="bin", municipality="tripoli", title=title, lat=None, lon=None,
        attributes={}, parent=None, installed_at=datetime(2026, 3, 1, tzinfo=UTC), district={}, street={},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("q", "title"),
    [
        ('name=="Souk"', "Souk"),
        ("name%3D%3D%22Souk%22", "Souk"),
        ("name==%22Souk%22", "Souk"),
        ('name=="50%25"', "50%25"),
        ("name%3D%3D%2250%2525%22", "50%25"),
    ],
)
def test_query_is_read_as_given_or_percent_encoded(q: str, title: str) -> None:
    said = {
        "type": "Subscription",
        "entities": [{"type": "WasteContainer"}],
        "q": q,
        "notification": {"endpoint": {"uri": "https://a.example"}},
    }
    selection = selection_of(KINDS, SubscriptionDocument.model_validate(said), "https://nabd.example/context")

    assert selection.written(KINDS, [(device(title), CHANGE)])
    assert not selection.written(KINDS, [(device("other"), CHANGE)])
