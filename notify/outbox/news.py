"""What there is to say of alerts at the moment of sending, in a reader's language, and who reads it.

The sentence is rendered as the API renders it, with the newest value while the alert is open. Must not know
how a message is laid out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
import structlog

from alerts.queue import Alert, get_alerts
from devices.instants import to_datetime
from devices.kinds import Kinds
from devices.texts.languages import DEFAULT, Language, called, called_everywhere
from notify.message import AlertNews, Occasion
from notify.outbox.escalation import LATE_US
from rules.explain.sentence import sentence
from store.connection import Connection

log = structlog.get_logger(__name__)

_LATE = timedelta(microseconds=LATE_US)
_PLACES = """
SELECT alert.id, device.lat, device.lon, town.time_zone, escalation.began_at,
    (escalation.plan #>> '{steps,0,after_s}')::float8 AS first_after_s,
    district.title AS district_title, street.title AS street_title
FROM alert
INNER JOIN device ON alert.device_id = device.id
INNER JOIN municipality AS town ON town.id = municipality_at(device, alert.opened_at)
LEFT JOIN ground_feature AS district ON device.district_id = district.id
LEFT JOIN ground_feature AS street ON device.street_id = street.id
LEFT JOIN escalation ON alert.id = escalation.alert_id
WHERE alert.id = ANY($1::bigint [])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMatter:
    """One alert, and where its device stands; titles by language, empty where there are none.

    said: with the newest values; began: with those of its beginning.
    began_at: observed instant of what is told last. first_after_s: how long its route waits, of itself.
    """

    alert: Alert
    said: Mapping[str, str]
    began: Mapping[str, str]
    lat: float | None
    lon: float | None
    time_zone: str
    district_title: Mapping[str, str]
    street_title: Mapping[str, str]
    began_at: datetime | None
    first_after_s: float | None

    def told(self, occasion: Occasion, language: Language, now: int) -> AlertNews:
        """Return what is said of the alert on an occasion (`now` in microseconds)."""
        alert = self.alert
        called_here = called(alert.device_title, alert.device_titles, language)
        places = [called_here, _in(self.street_title, language), _in(self.district_title, language)]
        return AlertNews(
            alert=alert.id,
            occasion=occasion,
            severity=alert.severity,
            municipality=alert.municipality,
            device=alert.device,
            rule=alert.rule,
            sentence=_in(self.said, language) or alert.rule,
            place=", ".join(place for place in places if place) or None,
            since=alert.opened_at,
            first_action=_in(alert.runbook, language),
            lat=self.lat,
            lon=self.lon,
            late_s=self._late_s(occasion, now),
        )

    def _late_s(self, occasion: Occasion, now: int) -> float | None:
        if self.began_at is None or occasion not in (Occasion.OPENED, Occasion.WORSE):
            return None
        age = to_datetime(now) - self.began_at
        meant = timedelta(seconds=self.first_after_s or 0.0)
        return age.total_seconds() if age > meant + _LATE else None


def _in(texts: Mapping[str, str], language: Language) -> str | None:
    return texts.get(language) or texts.get(DEFAULT) or None


async def matters(connection: Connection, alerts: Collection[int], kinds: Kinds) -> dict[int, AlertMatter]:
    """Return what there is to say of alerts, by number; one that cannot be written is left out."""
    places = {row["id"]: row for row in await connection.fetch(_PLACES, list(alerts))}
    found: dict[int, AlertMatter] = {}
    for alert in await get_alerts(connection, alerts):
        try:
            found[alert.id] = _matter(alert, places[alert.id], kinds)
        except Exception:  # one alert must not end the telling of the others, whatever is wrong with it
            log.exception("what an alert says could not be written", alert=alert.id)
    return found


def _matter(alert: Alert, place: asyncpg.Record, kinds: Kinds) -> AlertMatter:
    said = sentence(
        alert.template,
        stored=alert.summary,
        names={
            "device": called_everywhere(alert.device_title, alert.device_titles),
            "municipality": alert.municipality,
        },
        evidence=alert.evidence,
        first=alert.first or alert.evidence,
        newest=alert.newest,
        quality=alert.newest_quality or 0,
        kind=kinds.get(alert.kind),
    )
    return AlertMatter(
        alert=alert,
        said=said.summary,
        began=said.began or said.summary,
        lat=place["lat"],
        lon=place["lon"],
        time_zone=place["time_zone"],
        district_title=place["district_title"] or {},
        street_title=place["street_title"] or {},
        began_at=place["began_at"],
        first_after_s=place["first_after_s"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReader:
    """Who reads a message: how they are called, and in which language."""

    name: str
    language: Language


_PEOPLE = """
SELECT id, coalesce(nullif(display_name, ''), name) AS name, language FROM person WHERE id = ANY($1::int [])
"""


async def people_reading(connection: Connection, people: Collection[int]) -> dict[int, MessageReader]:
    """Return who these people are, by number."""
    rows = await connection.fetch(_PEOPLE, list(people))
    return {row["id"]: MessageReader(name=row["name"], language=row["language"]) for row in rows}
