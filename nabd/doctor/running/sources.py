"""Whether every source of foreign devices is heard, and all that it says is read."""

from __future__ import annotations

from datetime import timedelta

from devices.instants import to_datetime
from devices.sources.listing import list_sources
from devices.sources.source import Source, Way
from devices.sources.states import is_alive
from devices.texts.translated import TranslatedText, say, several
from nabd import clock
from nabd.doctor.check import CheckResult, bad, fine, note
from nabd.settings import Settings
from store.connection import Connection

WITHIN = timedelta(days=1)
SHOWN = 5


async def check_sources(connection: Connection, settings: Settings) -> CheckResult:
    """Check that the bridge lives where it is needed, and that no source is away."""
    now, speed = clock.parse(settings.clock)
    enabled = [one for one in await list_sources(connection) if one.enabled]
    heard = [one for one in enabled if one.way is Way.MQTT]
    if heard and not any(is_alive(one, now(), speed) for one in heard):
        return bad("sources", say("check.sources_unheard"), say("check.start_bridge"))
    away = [wrong for one in enabled if (wrong := _wrong(one))]
    if away:
        return bad("sources", several(away), say("check.show_source"))
    if not enabled:
        return fine("sources", say("check.sources_none"))
    return fine("sources", say("check.sources_heard", n=len(enabled)))


def _wrong(source: Source) -> TranslatedText | None:
    """Return what is wrong with a source."""
    if source.state is None:
        return None
    if source.state.reason:
        return say("check.source_says", source=source.name, reason=source.state.reason)
    if source.state.connected or source.way is Way.WEBHOOK:
        return None
    return say("check.source_away", source=source.name)


async def check_partly_read(connection: Connection, settings: Settings) -> CheckResult:
    """Tell which sources said within a day what could be read in part only, with the last of each."""
    since = to_datetime(clock.parse(settings.clock)[0]()) - WITHIN
    found = [
        (one.name, one.state)
        for one in await list_sources(connection)
        if one.enabled and one.state and one.state.problem_at and one.state.problem_at >= since
    ]
    if not found:
        return fine("partly read", say("check.all_read"))
    partly = [
        say("check.partly_read", source=name, count=state.problems, problem=str(state.problem))
        for name, state in found[:SHOWN]
    ]
    partly += [say("check.others", n=len(found) - SHOWN)] if len(found) > SHOWN else []
    return note("partly read", several(partly), say("check.try_profile"))
