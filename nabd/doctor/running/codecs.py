"""Which vendors' codecs cost messages."""

from __future__ import annotations

from datetime import timedelta

from devices.instants import to_datetime
from devices.storable import storable
from nabd import clock
from nabd.doctor.check import CheckResult, fine, note
from nabd.settings import Settings
from readings import codec_failures
from store.connection import Connection

WITHIN = timedelta(days=1)
SHOWN = 5


async def check_codecs(connection: Connection, settings: Settings) -> CheckResult:
    """Tell which codecs failed within a day, the worst first, with the last error of each."""
    since = to_datetime(clock.parse(settings.clock)[0]()) - WITHIN
    found = await codec_failures.by_codec(connection, since)
    if not found:
        return fine("codecs", "none has failed within a day")
    said = "; ".join(
        f"{storable(one.codec, 80)} failed for {one.messages:,} messages of {one.devices:,} devices,"
        f" last: {storable(one.reason, 120)}"
        for one in found[:SHOWN]
    )
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    fix = "try it with what a device sent (`nabd rejections`, `nabd profile test`): docs/codecs.md"
    return note("codecs", said + more, fix)
