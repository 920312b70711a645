"""Rules that cannot be decided on devices, for want of a measurement."""

from __future__ import annotations

from devices import kinds
from nabd import clock
from nabd.doctor.check import CheckResult, fine, note
from nabd.settings import Settings
from rules.catalogue.blind import blind_rules
from store.connection import Connection

LOOKED_AT = 200
"""Of so many devices of each kind it is asked whether rules are blind on them."""


async def check_blind(connection: Connection, settings: Settings) -> CheckResult:
    """Find rules that could not be decided for long."""
    now, _ = clock.parse(settings.clock)
    found = await blind_rules(connection, kinds.load(settings.kinds_dir), now(), limit=LOOKED_AT)
    if not found:
        return fine("blind rules", "every rule can be decided where we looked")
    devices: dict[str, list[str]] = {}
    for one in found:
        devices.setdefault(f"{one.rule} (lacks {', '.join(one.missing)})", []).append(one.device)
    said = "; ".join(f"{rule} on {names[0]}{_others(names)}" for rule, names in devices.items())
    fix = "`nabd rule blind` lists them; mend the sensor, or let the rule say known(x, otherwise)"
    return note("blind rules", said, fix)


def _others(names: list[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""
