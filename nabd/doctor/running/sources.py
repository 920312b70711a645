"""Whether every source of foreign devices is heard, and all that it says is read."""

from __future__ import annotations

from datetime import timedelta

from devices.instants import to_datetime
from devices.sources.listing import list_sources
from devices.sources.source import Source, Way
from devices.sources.states import is_alive
from nabd import clock
from nabd.doctor.check import CheckResult, bad, fine, note
from nabd.settings import Settings
from store.connection import Connection

SUBJECT = "sources"
WITHIN = timedelta(days=1)
SHOWN = 5


async def check_sources(connection: Connection, settings: Settings) -> CheckResult:
    """Check that the bridge lives where it is needed, and that no source is away."""
    now, speed = clock.parse(settings.clock)
    enabled = [one for one in await list_sources(connection) if one.enabled]
    heard = [one for one in enabled if one.way is Way.MQTT]
    if heard and not any(is_alive(one, now(), speed) for one in heard):
        return bad(SUBJECT, "nobody hears them: `nabd bridge` gives no sign of life", "start `nabd bridge`")
    away = [f"{one.name}: {_said(one)}" for one in enabled if one.state and _said(one)]
    if away:
        return bad(SUBJECT, "; ".join(away), "`nabd source show NAME`, and docs/bridge.md for what it says")
    return fine(SUBJECT, f"{len(enabled)} are heard" if enabled else "there are none")


def _said(source: Source) -> str:
    """Return what is wrong with a source, empty where nothing is."""
    assert source.state is not None
    if source.state.connected or source.way is Way.WEBHOOK:
        return source.state.reason
    return source.state.reason or "not connected"


async def check_partly_read(connection: Connection, settings: Settings) -> CheckResult:
    """Tell which sources said within a day what could be read in part only, with the last of each."""
    since = to_datetime(clock.parse(settings.clock)[0]()) - WITHIN
    found = [
        (one.name, one.state)
        for one in await list_sources(connection)
        if one.enabled and one.state and one.state.problem_at and one.state.problem_at >= since
    ]
    if not found:
        return fine("partly read", "no message of a source within a day was read in part only")
    said = "; ".join(
        f"{name}: {state.problems:,} since it was added, last: {state.problem}"
        for name, state in found[:SHOWN]
    )
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    fix = "try the profile with what the device sends (`nabd profile test`), and correct it: docs/profiles.md"
    return note("partly read", said + more, fix)
