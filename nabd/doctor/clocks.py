"""Whether rules, the database and the machine have the same clock for every municipality."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from importlib.metadata import version
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from devices.instants import to_datetime
from devices.texts.translated import say, several
from devices.time_zones import TIME_ZONES, zone_named
from nabd import clock
from nabd.doctor.check import CheckResult, fine, note
from nabd.settings import Settings
from store.connection import Connection

_OFFSETS = """
SELECT asked.zone, asked.instant, round(extract(epoch FROM
    (asked.instant AT TIME ZONE asked.zone) - (asked.instant AT TIME ZONE 'UTC')))::integer AS offset_s
FROM unnest($1::text [], $2::timestamptz []) AS asked (zone, instant)
INNER JOIN pg_timezone_names AS known ON known.name = asked.zone
"""


async def check_time_zones(connection: Connection, settings: Settings) -> CheckResult:
    """Compare the clocks of the municipalities: ours, the database's and the machine's, a year ahead."""
    rows = await connection.fetch("SELECT DISTINCT time_zone FROM municipality ORDER BY 1")
    zones = [row["time_zone"] for row in rows]
    unknown = [name for name in zones if name not in TIME_ZONES]
    now = to_datetime(clock.parse(settings.clock)[0]())
    asked = [(z, now + timedelta(days=7 * week)) for z in zones if z in TIME_ZONES for week in range(53)]
    theirs = {
        (row["zone"], row["instant"]): row["offset_s"]
        for row in await connection.fetch(_OFFSETS, [z for z, _ in asked], [at for _, at in asked])
    }
    wrong = [say("check.zone_unknown", zone=name) for name in unknown]
    for key, offset_s in (
        ("check.zone_of_database", theirs.get),
        ("check.zone_of_machine", _machine_offset_s),
    ):
        differing = sorted({z for z, at in asked if offset_s((z, at)) != _offset_s(zone_named(z), at)})
        wrong += [say(key, zone=name) for name in differing]
    if wrong:
        return note("time zones", several(wrong), say("check.correct_zones"))
    if not zones:
        return fine("time zones", say("check.zones_none"))
    return fine("time zones", say("check.zones_same", zones=tuple(zones), version=version("tzdata")))


def _offset_s(zone: tzinfo, at: datetime) -> int:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return round(offset.total_seconds())


def _machine_offset_s(asked: tuple[str, datetime]) -> int | None:
    try:
        return _offset_s(ZoneInfo(asked[0]), asked[1])
    except ZoneInfoNotFoundError:
        return None
