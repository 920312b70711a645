"""What is wrong with what is registered."""

from __future__ import annotations

from devices.commands.configured import drifting
from devices.registry import registry
from devices.registry.placement import misplaced
from nabd import clock
from nabd.doctor.check import CheckResult, fine, note
from nabd.settings import Settings
from readings.planned import speaking_planned
from store.connection import Connection


async def check_places(connection: Connection, _: Settings) -> CheckResult:
    """Find devices far from their municipality."""
    wrong = misplaced(await registry.load(connection))
    if not wrong:
        return fine("places", "every device stands in its municipality, as far as both have coordinates")
    said = f"{len(wrong)} devices stand far from their municipality: " + "; ".join(
        f"{name}: {problem.message}" for name, problem in wrong[:3]
    )
    fix = "`nabd device edit NAME --lat … --lon …`, or `nabd device import FILE --update` for a list"
    return note("places", said, fix)


async def check_planned(connection: Connection, _: Settings) -> CheckResult:
    """Find devices that speak although they are only planned."""
    speaking = await speaking_planned(connection)
    if not speaking:
        return fine("planned", "no planned device speaks")
    some = ", ".join(speaking[:5]) + (f" and {len(speaking) - 5} more" if len(speaking) > 5 else "")
    fix = "`nabd device install NAME` once it stands in the street; until then no rule judges it"
    return note("planned", f"planned, and speaking: {some}", fix)


CONFIG_PATIENCE = 3_600_000_000
"""Microseconds after which a device should have learned what is wanted of it."""


async def check_configured(connection: Connection, settings: Settings) -> CheckResult:
    """Find devices that have not been set as wanted for an hour."""
    now, _ = clock.parse(settings.clock)
    count = await drifting(connection, now() - CONFIG_PATIENCE)
    if not count:
        return fine("configuration", "every device is set as it is wanted")
    said = f"{count} devices have not been set as is wanted for an hour"
    return note("configuration", said, "`nabd device config --drift` lists them, with what they refuse")
