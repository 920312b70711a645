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
        return bad("codecs", str(error), "messages that codecs decode wait until one starts: docs/codecs.md")
    said = [] if confined else ["they run without seccomp, confined by limits and an empty environment alone"]
    said += [
        f"{storable(one.codec, 80)} failed for {one.messages:,} messages of {one.devices:,} devices,"
        f" last: {storable(one.reason, 120)}"
        for one in found[:SHOWN]
    ]
    said += [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    fixes = [] if confined else ["use codecs that you trust, or a kernel with seccomp on x86_64 or aarch64"]
    fixes += ["try it with what a device sent (`nabd rejections`, `nabd profile test`)"] if found else []
    if not said:
        return fine("codecs", "none has failed within a day")
    return note("codecs", "; ".join(said), f"{'; '.join(fixes)}: docs/codecs.md")


def _used(settings: Settings) -> bool:
    loaded = profiles.load(kinds.load(settings.kinds_dir), settings.profiles_dir)
    return any(map(loaded.codec, loaded))


async def _is_confined() -> bool:
    """Raises: CodecsAway."""
    sandbox = await Sandbox.start(Limits())
    await sandbox.close()
    return sandbox.ready.confined
