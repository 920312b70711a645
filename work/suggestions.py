"""Who could do a work order: technicians of its municipality, first those who know the kind and the district.

Must not know whether they have time, but for how many open orders each has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from people.roles import Role
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestedTechnician:
    """Somebody to whom an order could be given.

    knows_kind: the device's kind is among their skills. knows_district: they work in its district.
    open_orders: how many they have already.
    """

    name: str
    display_name: str
    knows_kind: bool
    knows_district: bool
    open_orders: int


def ranked(found: Sequence[SuggestedTechnician]) -> list[SuggestedTechnician]:
    """Return technicians, the most suitable first: who knows the kind, the district, has less to do. Pure."""
    return sorted(
        found, key=lambda one: (not one.knows_kind, not one.knows_district, one.open_orders, one.name)
    )


_TECHNICIANS = """
SELECT
    person.name, coalesce(nullif(person.display_name, ''), person.name) AS display_name,
    device.kind = ANY(person.skills) AS knows_kind,
    coalesce(ground_feature.name = ANY(person.districts), false) AS knows_district,
    (
        SELECT count(*) FROM work_order AS other
        WHERE other.assignee_id = person.id AND other.state NOT IN ('done', 'cancelled')
            AND other.id <> o.id
    ) AS open_orders
FROM work_order AS o
INNER JOIN device ON o.device_id = device.id
LEFT JOIN ground_feature
    ON device.district_id = ground_feature.id AND o.municipality_id = ground_feature.municipality_id
INNER JOIN person ON person.disabled_at IS NULL
WHERE o.id = $1 AND EXISTS (
    SELECT FROM membership
    WHERE membership.person_id = person.id AND membership.role = $2
        AND coalesce(membership.municipality_id = o.municipality_id, true)
)
"""


async def suggested(connection: Connection, order: int, most: int = 10) -> list[SuggestedTechnician]:
    """Return to whom an order could be given, the most suitable first."""
    rows = await connection.fetch(_TECHNICIANS, order, Role.TECHNICIAN)
    return ranked([SuggestedTechnician(**row) for row in rows])[:most]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCandidate:
    """Somebody to whom an alert could be given. technician: one who works; the rest as of a technician."""

    name: str
    display_name: str
    technician: bool
    knows_kind: bool
    knows_district: bool
    open_orders: int


_CANDIDATES = """
SELECT
    person.name, coalesce(nullif(person.display_name, ''), person.name) AS display_name,
    'technician' = ANY(held.roles) AS technician,
    device.kind = ANY(person.skills) AS knows_kind,
    coalesce(ground_feature.name = ANY(person.districts), false) AS knows_district,
    (
        SELECT count(*) FROM work_order AS o
        WHERE o.assignee_id = person.id AND o.state NOT IN ('done', 'cancelled')
    ) AS open_orders
FROM alert
INNER JOIN device ON alert.device_id = device.id
INNER JOIN municipality ON municipality.id = municipality_at(device, alert.opened_at)
LEFT JOIN ground_feature
    ON device.district_id = ground_feature.id AND ground_feature.municipality_id = municipality.id
INNER JOIN person ON person.disabled_at IS NULL
CROSS JOIN LATERAL (
    SELECT array_agg(membership.role) AS roles FROM membership
    WHERE membership.person_id = person.id AND membership.role = ANY($2)
        AND coalesce(membership.municipality_id = municipality.id, true)
) AS held
WHERE alert.id = $1 AND held.roles IS NOT NULL
ORDER BY
    technician DESC, knows_kind DESC, knows_district DESC, open_orders, person.name
LIMIT $3
"""
_WHO = (Role.TECHNICIAN, Role.OPERATOR, Role.ADMIN)


async def candidates(connection: Connection, alert: int, most: int = 50) -> list[AlertCandidate]:
    """Return to whom an alert could be given: technicians first, the most suitable one before others."""
    rows = await connection.fetch(_CANDIDATES, alert, list(_WHO), most)
    return [AlertCandidate(**row) for row in rows]
