"""Whether every source of foreign devices is heard."""

from __future__ import annotations

from devices.instants import to_microseconds
from devices.sources.listing import list_sources
from devices.sources.source import Source, Way
from nabd import clock
from nabd.doctor.check import CheckResult, bad, fine
from nabd.readiness import ALIVE_S
from nabd.settings import Settings
from store.connection import Connection

SUBJECT = "sources"


async def check_sources(connection: Connection, settings: Settings) -> CheckResult:
    """Check that the bridge lives where it is needed, and that no source is away."""
    now, speed = clock.parse(settings.clock)
    enabled = [one for one in await list_sources(connection) if one.enabled]
    heard = [one for one in enabled if one.way is Way.MQTT]
    newest = max((to_microseconds(one.state.alive_at) for one in heard if one.state), default=None)
    if heard and (newest is None or (now() - newest) / 1e6 / speed > ALIVE_S):
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
