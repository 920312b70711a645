"""What is wrong with what is registered."""

from __future__ import annotations

from devices.registry import registry
from devices.registry.placement import misplaced
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
