"""What `nabd source list` says of how it goes with a source."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from devices.sources.source import Source, Way
from nabd.cli.devices.sources import how_it_goes

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("format", "enabled", "says"),
    [
        ("chirpstack", True, "nothing came yet"),
        ("nabd", True, "devices post by themselves: see each"),
        ("nabd", False, "disabled"),
    ],
)
def test_a_webhook_of_devices_that_post_themselves_is_not_waited_for(
    format: str,  # noqa: A002
    enabled: bool,
    says: str,
) -> None:
    source = Source(
        id=1, name="s", municipality="tripoli", municipality_id=1, gateway="s", gateway_wire="s",
        way=Way.WEBHOOK, format=format, profile="", profiles={}, url="", topics=(), protocol="5",
        username="", authority="", enabled=enabled, has_secret=False, created_at=AT, changed_at=AT,
    )  # fmt: skip

    assert how_it_goes(source) == says
