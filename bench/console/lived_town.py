"""The wide town, small and with a life: days of readings, alerts and work behind it, and work under way.

What pictures and tasks are made in. The past is the demo's own.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np

from alerts.queue import list_alerts
from bench.console.wide_town import SEED, TOWN, VALUES, build
from devices import kinds
from firmware_sim.physics.model import HOUR_S, SECOND
from firmware_sim.town import make_town
from nabd import clock
from nabd.demo.cast import TOWNSPEOPLE, Occupation
from nabd.demo.past.writing import PastPlan, PastWriter
from nabd.demo.people import LINK_FOR, numbers_of, team_of
from people.editing import NewPerson, add_person
from people.first import address_of
from people.identity import Grant
from people.links import create_link
from people.roles import Role
from store.audit import PLATFORM, Actor
from store.connection import Connection
from store.pool import connect
from work import orders, steps
from work.assigning import Crew
from work.change import WorkStep

RETENTION_DAYS = 90
DAY_US = round(24 * HOUR_S * SECOND)
HOUR_US = round(HOUR_S * SECOND)
FAULT_MEAN_DAYS = 4.0
FILLING = timedelta(hours=10)
"""For how long a bin has filled up before its alert."""
_MEASURED = "UPDATE latest SET measurements = measurements || $2::jsonb WHERE device_id = $1"
_FILLED = """
UPDATE bin_reading
SET fill_pct = fill_pct + ($2 - fill_pct) * least(
    1, extract(epoch FROM observed_at - $3) / extract(epoch FROM $4::timestamptz - $3)
)
WHERE device_id = $1 AND observed_at > $3
"""
_FAILED = "UPDATE light_reading SET power_w = $2 WHERE device_id = $1 AND observed_at >= $3"
_STANDING = """
SELECT d.id, d.kind, a.opened_at AS wrong_since
FROM device AS d
LEFT JOIN alert AS a ON a.device_id = d.id AND a.state = 'firing'
WHERE d.kind IN ('bin', 'light')
ORDER BY d.id
"""


async def build_lived(dsn: str, directory: Path, *, alerts: int, days: float) -> dict[Occupation, str]:
    """Fill a database; see `wide_town.build`. The town's tiles are `town.pmtiles` in the directory."""
    links = await build(dsn, 0, alerts, directory / "town.pmtiles")
    now = clock.wall()
    town = make_town(
        SEED,
        kinds.load(),
        municipality=TOWN,
        strangers=0,
        drone_hours=(5.0, 5.5),
        fault_mean_days=FAULT_MEAN_DAYS,
    )
    plan = PastPlan(
        town=town, start=now - round(days * DAY_US), end=now - 60 * SECOND, retention=RETENTION_DAYS * DAY_US
    )
    if days:
        await PastWriter(plan, kinds.load(), partial(connect, dsn)).run(lambda _: None)
    connection = await connect(dsn)
    try:
        await _measure(connection)
        await _give_work(connection, now)
        links[Occupation.ADMIN] = await _admin_of_everything(connection, now)
    finally:
        await connection.close()
    return links


async def _admin_of_everything(connection: Connection, now: int) -> str:
    """Add somebody who administers more than the town; return the path of a link that signs in."""
    new = NewPerson(
        name="layal", display_name="Layal Saab", grants=[Grant(role=Role.ADMIN, municipality=None)]
    )
    person = await add_person(connection, new, now, by=PLATFORM)
    return address_of("", await create_link(connection, person.id, now, by=PLATFORM, good_for=LINK_FOR))


async def _measure(connection: Connection) -> None:
    """Let devices have measured what their alerts say, and the other bins be as full as bins are."""
    chance = np.random.default_rng(SEED)
    for row in await connection.fetch(_STANDING):
        device, since = row["id"], row["wrong_since"]
        if row["kind"] == "bin":
            full = VALUES["fill_pct"] if since else round(float(chance.uniform(8, 80)), 1)
            await connection.execute(_MEASURED, device, {"fill_pct": full})
            if since:
                await connection.execute(_FILLED, device, full, since - FILLING, since)
        elif since:
            await connection.execute(_MEASURED, device, {"power_w": VALUES["power_w"]})
            await connection.execute(_FAILED, device, VALUES["power_w"], since)


async def _give_work(connection: Connection, now: int) -> None:
    """Let crews be on their way to some of what is wrong; one order is late."""
    people = TOWNSPEOPLE[TOWN]
    numbers = await numbers_of(connection, people)
    by_work = {one.occupation: numbers[one.name] for one in people}
    operator = Actor(principal=by_work[Occupation.OPERATOR], address="bench")
    technicians = [one.name for one in people if one.occupation is Occupation.TECHNICIAN]
    firing = await list_alerts(connection, state="firing", municipality=TOWN)
    worst, *others = sorted(firing, key=lambda alert: -alert.severity.rank)
    for n, alert in enumerate([worst, *others[1:12:2]]):
        made_at = now - (3 * DAY_US if n == 0 else n * HOUR_US)
        # The last technician is the one who is signed in.
        whose = technicians[-1 if n else 0] if n < 5 else None
        made = await orders.make(
            connection,
            orders.NewOrder(
                alerts=[alert.id], to=Crew(assignee=whose, team=None if whose else team_of(TOWN))
            ),
            WorkStep(by=operator, now=made_at, own_only=False),
        )
        if n in (1, 2) and whose is not None:
            own = WorkStep(
                by=Actor(principal=numbers[whose], address="bench"), now=made_at + HOUR_US // 2, own_only=True
            )
            await steps.accept(connection, made.id, own)
            if n == 2:
                await steps.go(connection, made.id, own)
