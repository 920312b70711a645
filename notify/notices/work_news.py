"""What there is to say of a work order at the moment of sending. Must not know how a message is laid out."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.transition import Severity
from devices.kinds import Kinds
from devices.texts.languages import DEFAULT, Language, called
from notify.message import Undelivered, WorkNews
from notify.outbox import news
from notify.outbox.work_receivers import OrderStanding, is_over
from store.connection import Connection
from work.order import WorkState

_ORDER = """
SELECT o.severity, town.name AS municipality, town.time_zone, device.name AS device,
    device.title AS device_title, device.titles AS device_titles,
    device.lat, device.lon, o.title, o.accepted_at IS NOT NULL AS accepted,
    o.response_due_at, o.repair_due_at, district.title AS district, street.title AS street,
    (SELECT min(about.alert_id) FROM work_order_alert AS about WHERE about.order_id = o.id) AS alert,
    (SELECT e.body ->> 'reason' FROM work_event AS e WHERE e.id = $2) AS reason,
    team.title AS team_title, team.name AS team, o.assignee_id
FROM work_order AS o
INNER JOIN municipality AS town ON o.municipality_id = town.id
INNER JOIN device ON o.device_id = device.id
LEFT JOIN ground_feature AS district ON device.district_id = district.id
LEFT JOIN ground_feature AS street ON device.street_id = street.id
LEFT JOIN team ON o.team_id = team.id
WHERE o.id = $1
"""


_STANDINGS = """
SELECT o.id, o.state, o.assignee_id IS NOT NULL AS in_hand,
    coalesce(o.assignee_id = $2, EXISTS (
        SELECT FROM team_member AS m WHERE m.team_id = o.team_id AND m.person_id = $2
    )) AS mine
FROM work_order AS o
WHERE o.id = ANY($1::bigint [])
"""


async def still_said(
    connection: Connection, event: str, to: str | None, orders: Sequence[int], person: int
) -> list[int]:
    """Return the orders of which what was to be said to a person is true now."""
    found = {row["id"]: row for row in await connection.fetch(_STANDINGS, orders, person)}
    standing = {
        number: OrderStanding(state=WorkState(row["state"]), in_hand=row["in_hand"], mine=row["mine"])
        for number, row in found.items()
    }
    return [one for one in orders if one in standing and not is_over(event, to, standing[one])]


async def work_news(
    connection: Connection, order: int, event: str, event_id: int, language: Language, kinds: Kinds, now: int
) -> WorkNews:
    """Return what is said of an order, in the reader's language.

    Args:
        event: what happened; event_id: its number.
        now: microseconds since 1970-01-01Z.

    Raises:
        Undelivered: there is no such order any more.
    """
    row = await connection.fetchrow(_ORDER, order, event_id)
    if row is None:
        raise Undelivered("the work order is gone", permanent=True)
    said = first_action = None
    if row["alert"] is not None:
        found = await news.matters(connection, [row["alert"]], kinds)
        if (matter := found.get(row["alert"])) is not None:
            # What an order was made of: the newest value may be that of a bin already emptied.
            said = matter.began.get(language) or matter.began.get(DEFAULT)
            first_action = matter.alert.runbook.get(language) or matter.alert.runbook.get(DEFAULT)
    team = _in(row["team_title"], language) or row["team"]
    here = called(row["device_title"], row["device_titles"], language)
    places = [here, _in(row["street"], language), _in(row["district"], language)]
    return WorkNews(
        order=order,
        event=event,
        severity=Severity(row["severity"]),
        municipality=row["municipality"],
        time_zone=row["time_zone"],
        device=row["device"],
        what=row["title"] or said or "",
        sentence=said if row["title"] else None,
        place=", ".join(place for place in places if place) or None,
        response_due_at=None if row["accepted"] else row["response_due_at"],
        repair_due_at=row["repair_due_at"],
        first_action=first_action or None,
        reason=row["reason"],
        team=None if row["assignee_id"] else team,
        lat=row["lat"],
        lon=row["lon"],
    )


def _in(titles: dict[str, str] | None, language: Language) -> str | None:
    return ((titles or {}).get(language) or (titles or {}).get(DEFAULT)) or None
