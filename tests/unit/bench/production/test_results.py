"""When a run of `nabd bench production` fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.production.results import CityResult, ProductionResult

CITY = CityResult(
    devices=24, models=4, sources=2, sent=70, stored=70, lost=0, duplicated=0, altered=0, rejected=0,
    copies=12, recognised=11, lost_on_air=4, faults={},
)  # fmt: skip
RESULT = ProductionResult(
    sent=35, stored=35, lost=0, duplicated=0, altered=0, refused_plaintext=True, devices=12, accounts=5,
    https=None, lorawan=CITY,
)  # fmt: skip


def test_a_run_holds_where_every_reading_is_stored_once() -> None:
    assert RESULT.holds
    assert replace(RESULT, lorawan=None).holds


@pytest.mark.parametrize(
    "city",
    [
        replace(CITY, lost=1),
        replace(CITY, duplicated=1),
        replace(CITY, altered=1),
        replace(CITY, rejected=1),
    ],
)
def test_a_run_fails_for_one_frame_of_a_network_server(city: CityResult) -> None:
    assert not replace(RESULT, lorawan=city).holds


def test_a_run_in_which_nobody_spoke_fails() -> None:
    assert not replace(RESULT, sent=0).holds
    assert not replace(RESULT, lorawan=replace(CITY, sent=0)).holds
