"""Which vendors' codecs cost messages, and whether the kernel confines them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from devices import kinds, profiles
from devices.codecs.codec import CodecsAway
from devices.codecs.limits import Limits
from devices.codecs.sandboxed import Sandbox
from devices.instants import to_datetime
from devices.storable import storable
from devices.texts.translated import say, several
from nabd import clock
from nabd.doctor.check import CheckResult, bad, fine, note
from nabd.settings import Settings
from readings import codec_failures
from store.connection import Connection

WITHIN = timedelta(days=1)
SHOWN = 5


async def check_codecs(connection: Connection, settings: Settings) -> CheckResult:
    """Tell which codecs failed within a day, the worst first, with the last error of each.

    Where a profile names a codec a process for codecs is started, to see that it does and is confined.
    """
    since = to_datetime(clock.parse(settings.clock)[0]()) - WITHIN
    found = await codec_failures.by_codec(connection, since)
    try:
        confined = not await asyncio.to_thread(_used, settings) or await _is_confined()
    except CodecsAway as error:
        return bad("codecs", say("check.codecs_away", error=str(error)), say("check.codecs_wait"))
    causes = [] if confined else [say("check.codecs_unconfined")]
    causes += [
        say(
            "check.codec_failed",
            codec=storable(one.codec, 80),
            messages=one.messages,
            devices=one.devices,
            error=storable(one.reason, 120),
        )
        for one in found[:SHOWN]
    ]
    causes += [say("check.others", n=len(found) - SHOWN)] if len(found) > SHOWN else []
    fixes = [] if confined else [say("check.confine_codecs")]
    fixes += [say("check.try_codec")] if found else []
    if not causes:
        return fine("codecs", say("check.codecs_good"))
    return note("codecs", several(causes), several(fixes))


def _used(settings: Settings) -> bool:
    loaded = profiles.load(kinds.load(settings.kinds_dir), settings.profiles_dir)
    return any(map(loaded.codec, loaded))


async def _is_confined() -> bool:
    """Raises: CodecsAway."""
    sandbox = await Sandbox.start(Limits())
    await sandbox.close()
    return sandbox.ready.confined
