"""Circuits lose their power, all lamps of a phase at once, and say so only if their controllers can."""

from __future__ import annotations

from firmware_sim.physics.feed import PowerOutage, SupplyFeed
from tests.unit.firmware_sim.build import NOON

DAY = 86_400_000_000
LONG = NOON + 600 * DAY


def test_outages_are_the_same_whoever_asks() -> None:
    one, other = SupplyFeed("C1", 1), SupplyFeed("C1", 1)

    found = list(one.between(NOON, LONG))

    assert found == list(other.between(NOON, LONG))
    assert found != list(SupplyFeed("C2", 1).between(NOON, LONG))
    assert 50 <= len(found) <= 90


def test_feed_is_off_from_an_outages_start_to_its_end() -> None:
    feed = SupplyFeed("C1", 1)
    outage = next(feed.between(NOON, LONG))

    assert feed.at(outage.start - 1) is None
    assert feed.at(outage.start) == feed.at(outage.end - 1) == outage
    assert feed.at(outage.end) is None


def test_outage_of_two_phases_hits_two_lamps_in_three() -> None:
    outage = PowerOutage(start=0, end=1, dead=True, phases=2)

    assert [outage.hits(place) for place in range(6)] == [True, True, False, True, True, False]
