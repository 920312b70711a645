"""Rules that cannot be decided on devices, for want of a measurement."""

from __future__ import annotations

from devices import kinds
from devices.texts.translated import say, several, some_of
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
        return fine("blind rules", say("check.blind_none"))
    devices: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for one in found:
        devices.setdefault((one.rule, tuple(one.missing)), []).append(one.device)
    blind = [
        say("check.blind", rule=rule, missing=missing, devices=some_of(names, 1))
        for (rule, missing), names in devices.items()
    ]
    return note("blind rules", several(blind), say("check.list_blind"))
