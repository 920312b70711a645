"""What people enter: of any device of their municipality, by our clocks, and nothing but readings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from devices.kinds.kind import CLOCK_CORRECTED
from devices.wire import Reason
from devices.wire.topics import HAND, Channel, hand_gateway
from ingest.decide.clocks import AHEAD_LIMIT, ClockOffset, Clocks, Offsets, date
from ingest.decide.directory import Directory
from tests.unit.ingest.test_hardware import B1, GATEWAY, KINDS, TRIPOLI, device, directory

HOUR = 3_600_000_000
NOW = 500_000 * HOUR
RETENTION = 90 * 24 * HOUR


def with_nablus() -> Directory:
    registry = directory(B1, GATEWAY, device(3, "old", retired_at=1, retired_reason="sold")).registry
    towns = {"tripoli": TRIPOLI, "nablus": replace(TRIPOLI, id=2, name="nablus")}
    return Directory(replace(registry, municipalities=towns), KINDS)


def test_every_device_of_the_municipality_is_entered_and_no_other() -> None:
    known = with_nablus()
    here, there = (known.source(str(hand_gateway(town))) for town in ("tripoli", "nablus"))

    assert (here.refusal, here.relays, here.by_hand, here.plain) == (None, True, True, False)
    assert known.relayed(here, "bin", "NEW-7").device_id == 1
    assert known.relayed(there, "bin", "NEW-7").refusal is Reason.MISPLACED
    assert known.relayed(here, "light", "NEW-7").refusal is Reason.MISPLACED
    assert known.relayed(here, "bin", "nobody").refusal is Reason.UNKNOWN_DEVICE
    assert known.relayed(here, "bin", "old").refusal is Reason.UNKNOWN_DEVICE
    assert known.relayed(here, "gateway", "GW-9").refusal is Reason.NOT_YOUR_DEVICE
    assert not known.source("nabd/v1/tripoli/gateway/GW-9/telemetry").by_hand
    assert known.source(str(hand_gateway("homs"))).refusal is Reason.UNKNOWN_MUNICIPALITY


@pytest.mark.parametrize("channel", [Channel.PRESENCE, Channel.RESPONSE, Channel.REPORTED, Channel.RECEIPT])
def test_people_have_no_other_channel(channel: Channel) -> None:
    source = directory(B1, GATEWAY).source(str(hand_gateway("tripoli").on(channel)))

    assert (source.refusal, source.name) == (Reason.BAD_TOPIC, HAND)


def test_instants_of_people_are_taken_as_they_are_or_not_at_all() -> None:
    """Beside them the same device's own, whose clock was an hour fast, is put right."""
    offsets = Offsets()
    offsets.add(1, ClockOffset(first=NOW - 9 * HOUR, last=NOW + 9 * HOUR, ahead=HOUR))
    told = [NOW - HOUR, NOW - HOUR, NOW + 2 * AHEAD_LIMIT, NOW - RETENTION - HOUR]
    clocks = Clocks(offsets)

    dated = date(
        instant=np.array(told),
        device_id=np.ones(4, dtype=np.int32),
        received_at=np.full(4, NOW),
        starts=np.arange(4),
        clocks=clocks,
        retention=RETENTION,
        told_by_us=np.array([True, False, True, True]),
    )

    assert dated.observed_at[:2].tolist() == [NOW - HOUR, NOW - 2 * HOUR]
    assert dated.quality.tolist() == [0, CLOCK_CORRECTED, 0, 0]
    assert sorted(dated.bad) == [2, 3]
    assert clocks.learnt == []
