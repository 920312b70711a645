"""What is wrong with what is registered."""

from __future__ import annotations

from devices.registry import registry
from devices.registry.placement import MisplacedDevice, misplaced
from devices.texts.translated import TranslatedText, say, several, some_of
from nabd.doctor.check import CheckResult, fine, note
from nabd.settings import Settings
from readings.planned import speaking_planned
from store.connection import Connection

SHOWN = 3


async def check_places(connection: Connection, _: Settings) -> CheckResult:
    """Find devices far from their municipality."""
    wrong = misplaced(await registry.load(connection))
    if not wrong:
        return fine("places", say("check.places_right"))
    some = several([_apart(one) for one in wrong[:SHOWN]])
    return note("places", say("check.places_far", n=len(wrong), some=some), say("check.place_device"))


def _apart(found: MisplacedDevice) -> TranslatedText:
    far = say(
        "check.place_far",
        device=found.device,
        place=f"{found.lat:g}, {found.lon:g}",
        km=round(found.km),
        municipality=found.municipality,
    )
    if found.mended is None:
        return far
    lat, lon = found.mended
    meant = say("check.place_meant", place=f"{lat:g}, {lon:g}", municipality=found.municipality)
    return several([far, meant])


async def check_planned(connection: Connection, _: Settings) -> CheckResult:
    """Find devices that speak although they are only planned."""
    speaking = await speaking_planned(connection)
    if not speaking:
        return fine("planned", say("check.planned_silent"))
    speak = say("check.planned_speak", devices=some_of(speaking))
    return note("planned", speak, say("check.install_device"))
