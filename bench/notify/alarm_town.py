"""A database with devices, people who are told by webhook, and routes; alerts open as ingest opens them."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import yaml

from alerts.record import record
from alerts.transition import ConditionState, Severity, Transition
from bench.notify.receiver import WebhookReceiver
from bench.throughput.children import ChildFailed, child, last_words
from devices import kinds
from devices.instants import to_datetime
from devices.registry.municipalities import NewMunicipality, add_municipality
from devices.registry.registration import NewDevice, add_devices
from devices.texts.languages import LANGUAGES
from nabd import clock
from nabd.embedded.parts import migrated
from nabd.settings import Settings
from notify.routing.documents import apply_routes
from people.editing import NewPerson, add_person
from people.identity import Grant
from people.roles import Role
from store.audit import PLATFORM
from store.pool import connect

TOWN = "tripoli"
RULES = 100
"""Rules that nobody evaluates: each has a route of its own."""
_RULE = """
INSERT INTO rule (id, version, kind, definition, created_at, family)
SELECT 'storm-' || n, 1, 'bin', '{}', $1, 'stream' FROM generate_series(0, $2) AS n
"""


@dataclass(slots=True, kw_only=True)
class AlarmTown:
    """A registered town. people: names of receivers; device_ids: numbers of devices by name."""

    connection: asyncpg.Connection
    dsn: str
    people: Sequence[str]
    device_ids: Mapping[str, int]

    async def change(self, pairs: Sequence[tuple[str, str]], after: ConditionState) -> float:
        """Open, or end, alerts of rules on devices in one transaction; return when its COMMIT began.

        Args:
            pairs: rule and device.
        """
        now = clock.wall()
        transitions = [
            Transition(
                rule=rule,
                version=1,
                device_id=self.device_ids[device],
                from_state=_before(after),
                to_state=after,
                severity=Severity.MAJOR,
                observed_at=now,
                received_at=now,
            )
            for rule, device in pairs
        ]
        transaction = self.connection.transaction()
        await transaction.start()
        sentence = {str(language): "Something is the matter" for language in LANGUAGES}
        await record(self.connection, transitions, lambda _: sentence, now)
        began = time.time()
        await transaction.commit()
        return began

    async def alerts(self, rule_pattern: str = "%", state: str = "firing") -> dict[tuple[str, str], int]:
        """Return numbers of alerts by rule and device."""
        rows = await self.connection.fetch(_ALERTS, rule_pattern, state)
        return {(row["rule"], row["device"]): row["id"] for row in rows}


def _before(after: ConditionState) -> ConditionState:
    return ConditionState.PENDING if after is ConditionState.FIRING else ConditionState.FIRING


_ALERTS = """
SELECT alert.id, alert.rule, device.name AS device FROM alert
INNER JOIN device ON alert.device_id = device.id
WHERE alert.rule LIKE $1 AND alert.state = $2
"""


@asynccontextmanager
async def alarm_town(
    dsn: str, receiver: WebhookReceiver, devices: Sequence[NewDevice], *, people: int, routes: object
) -> AsyncIterator[AlarmTown]:
    """Migrate a database, register a town in it and put routes into force; `routes` as YAML has them."""
    await migrated(Settings(database=dsn, kinds_dir=None, clock=None))
    connection = await connect(dsn, statement_timeout_s=0)
    try:
        now = clock.wall()
        declared = kinds.load()
        town = NewMunicipality(name=TOWN, time_zone="Asia/Beirut", locale="ar-LB")
        await add_municipality(connection, town, clock.wall, by=PLATFORM)
        await add_devices(connection, declared, devices, clock.wall, by=PLATFORM)
        names = [f"r{n}" for n in range(people)]
        for name in names:
            await add_person(connection, _person(name, receiver), now, by=PLATFORM)
        await connection.execute(_RULE, to_datetime(now), RULES - 1)
        await apply_routes(connection, declared, yaml.safe_dump(routes), by=PLATFORM, now=now)
        rows = await connection.fetch("SELECT id, name FROM device")
        ids = {row["name"]: row["id"] for row in rows}
        await connection.execute("ANALYZE")
        yield AlarmTown(connection=connection, dsn=dsn, people=names, device_ids=ids)
    finally:
        await connection.close()


def _person(name: str, receiver: WebhookReceiver) -> NewPerson:
    address = f"http://127.0.0.1:{receiver.port}/{name}"
    role = Grant(role=Role.OPERATOR, municipality=TOWN)
    return NewPerson(name=name, channels={"webhook": address}, grants=(role,))


def path_of(person: str) -> str:
    """Return where a person's webhooks arrive."""
    return f"/{person}"


def process_environment(dsn: str) -> dict[str, str]:
    """Return the environment of a `nabd notify` that may call receivers on this machine."""
    return {
        "NABD_DATABASE": dsn,
        "NABD_WEBHOOK_SECRET": f"whsec_{base64.b64encode(bytes(range(32))).decode()}",
        "NABD_WEBHOOK_TARGETS": json.dumps(["127.0.0.0/8"]),
    }


NOTIFY = (sys.executable, "-m", "nabd", "notify")
_LEADS = "SELECT alive_at > $1 FROM notifier"


@asynccontextmanager
async def notifying(town: AlarmTown, log: Path) -> AsyncIterator[None]:
    """Run `nabd notify` while the block runs; it leads when the block begins."""
    began = to_datetime(clock.wall())
    async with child(NOTIFY, log, process_environment(town.dsn)) as process:
        while not await town.connection.fetchval(_LEADS, began):
            if process.returncode is not None:
                raise ChildFailed(f"nabd notify ended: {last_words(log)}")
            await asyncio.sleep(0.05)
        yield
