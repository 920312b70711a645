"""Planned, installed, retired: what instants say of a life, and which are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from devices.kinds import load
from devices.registry.csv_rows import read
from devices.registry.errors import Invalid
from devices.registry.life import Life, check_installed_at, life_of, read_installed_at
from devices.registry.new_device import NewDevice, problems

KINDS = load()
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
HEADER = "name,kind,municipality,installed_at\n"


@pytest.mark.parametrize(
    ("installed_at", "retired_at", "life"),
    [
        (None, None, Life.PLANNED),
        (NOON, None, Life.INSTALLED),
        (NOON, NOON, Life.RETIRED),
        (None, NOON, Life.RETIRED),
    ],
)
def test_life_follows_from_its_instants(
    installed_at: datetime | None, retired_at: datetime | None, life: Life
) -> None:
    assert life_of(installed_at, retired_at) is life


def test_installation_that_is_yet_to_come_is_refused_beyond_the_clocks_of_others() -> None:
    check_installed_at(NOON + timedelta(minutes=4), NOON)
    check_installed_at(None, NOON)

    with pytest.raises(Invalid, match="yet to come"):
        check_installed_at(NOON + timedelta(minutes=6), NOON)


@pytest.mark.parametrize("text", ["tomorrow", "2026-03-01", "2026-03-01T08:30:00", "1"])
def test_instant_without_offset_or_sense_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="planned, or an instant"):
        read_installed_at(text)


def test_list_says_of_each_device_whether_it_is_planned() -> None:
    text = HEADER + "B-1,bin,tripoli,Planned\nB-2,bin,tripoli,2026-11-18T13:00+01:00\nB-3,bin,tripoli,\n"

    found = read(text.encode(), KINDS)

    assert found.problems == []
    assert [(r.new.planned, r.new.installed_at) for r in found.rows] == [
        (True, None),
        (False, NOON),
        (False, None),
    ]


def test_device_cannot_be_planned_and_installed() -> None:
    new = NewDevice(name="B-1", kind="bin", municipality="tripoli", installed_at=NOON, planned=True)

    assert [p.field for p in problems(KINDS, new)] == ["installed_at"]
