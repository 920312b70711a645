"""Whether anybody is told of alerts, and whether the channels work."""

from __future__ import annotations

from devices.instants import to_datetime, to_microseconds
from devices.texts.translated import say, several
from nabd import clock
from nabd.doctor.check import CheckResult, bad, fine, note
from nabd.readiness import ALIVE_S
from nabd.settings import Settings
from notify.outbox import channel_health, told
from store.connection import Connection


async def check_notifier(connection: Connection, settings: Settings) -> CheckResult:
    """Check the notifier's sign of life, and the last answers of the channels."""
    now, speed = clock.parse(settings.clock)
    at = now()
    standing = await told.standing(connection, to_datetime(at))
    if standing.alive_at is None:
        return note("notify", say("check.notifier_never"), say("check.start_notify"))
    silent_s = (at - to_microseconds(standing.alive_at)) / 1e6 / speed
    if silent_s > ALIVE_S:
        silent = say("check.notifier_silent", seconds=round(silent_s))
        return bad("notify", silent, say("check.restart_notify"))
    failing = [c for c in await channel_health.health(connection, at) if c.failing_since is not None]
    if failing:
        fail = [say("check.channel_fails", channel=c.channel, answer=str(c.answer)) for c in failing]
        return bad("notify", several(fail), say("check.correct_channel"))
    return fine("notify", say("check.notifier_alive"))
