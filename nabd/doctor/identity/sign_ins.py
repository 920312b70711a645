"""Whether somebody is refused at the broker again and again."""

from __future__ import annotations

from devices.credentials import refusals
from devices.credentials.refusals import MANY
from devices.instants import to_datetime
from devices.texts.translated import say, several
from nabd import clock
from nabd.doctor.check import CheckResult, fine, note
from nabd.settings import Settings
from store.connection import Connection


async def check_sign_ins(connection: Connection, settings: Settings) -> CheckResult:
    """Look at the last ten minutes."""
    now, _ = clock.parse(settings.clock)
    found = await refusals.recent(connection, to_datetime(now()))
    refused = say("check.sign_ins_refused", n=found.count)
    if found.count < MANY:
        return fine("sign ins", refused)
    if found.addresses:
        refused = several([refused, say("check.sign_ins_from", addresses=tuple(found.addresses))])
    return note("sign ins", refused, say("check.look_who_guesses"))
