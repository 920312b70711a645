"""Devices of the demo are called as the console writes numbers in their town."""

from __future__ import annotations

import re

import pytest

from firmware_sim.lorawan.town import foreign_devices
from firmware_sim.titles import numbered
from tests.unit.firmware_sim.build import small_town

MINA = {"en": "Al-Mina", "fr": "El-Mina", "ar": "الميناء"}


@pytest.mark.parametrize(
    ("locale", "arabic"),
    [
        ("ar-LB", "١٦"),
        ("ar-PS", "١٦"),
        ("ar", "١٦"),
        ("fr", "١٦"),
        ("ar-MA", "16"),
        ("fr-MA", "16"),
        ("ar-LY", "16"),
    ],
)
def test_digits_of_an_arabic_name_are_those_of_the_municipality_s_territory(locale: str, arabic: str) -> None:
    assert numbered(MINA, 16, locale) == {"en": "Al-Mina 16", "fr": "El-Mina 16", "ar": f"الميناء {arabic}"}


def test_every_device_of_a_town_has_arabic_digits_in_its_arabic_name() -> None:
    town = small_town()
    titles = [one.titles for one in town.devices] + [one.titles for one in foreign_devices(town, 60.0)]

    for language, digits in (("ar", "[٠-٩]+"), ("fr", "[0-9]+"), ("en", "[0-9]+")):
        assert all(re.fullmatch(f".+ {digits}", said[language]) for said in titles)
