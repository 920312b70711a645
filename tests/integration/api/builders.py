"""Rows that API tests need, made with the code that makes them in life where there is any."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from alerts.record import record
from alerts.transition import ConditionState, Severity, Transition
from devices.commands.new_command import NewCommand
from devices.commands.queue import enqueue
from devices.commands.requests import NewRequest, ask
from devices.credentials.issuing import rotate_passwords
from devices.firmware.image import facts_of, public_of, sign
from devices.firmware.images import add_image
from devices.firmware.rollouts import NewRollout, start
from devices.instants import to_datetime, to_microseconds
from devices.kinds import load
from devices.publishing.subscriptions import NewEntitySubscription, add_subscription
from devices.registry.registration import NewDevice, add_device
from devices.registry.registry import Device
from devices.relay import Outcome, RelayState
from devices.wire.topics import Topic
from people.credentials import digest
from people.roles import Role
from people.tokens import NewToken, create_token
from readings.latest import LatestColumns, flush
from rules.maintenance import plans
from rules.maintenance.recurrence import Recurrence
from store.audit import PLATFORM
from work.preventive.plans import NewPlan, add_work_plan

KINDS = load()
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
"""Noon of yesterday: inside the partitions of a test database, and no day's edge."""

SENTENCE = {"en": "{device} is full", "fr": "{device} est plein", "ar": "{device} ممتلئ"}


def now() -> int:
    """A clock that stands still at noon."""
    return to_microseconds(NOON)


TOKEN = "the-token-of-the-operator-of-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
"""What a program shows that `let_in` has let in."""


class Committed:
    """Stands for broker and ingest: whatever is sent is stored at once."""

    async def send(self, gateway: Topic, elements: Sequence[Mapping[str, object]]) -> list[Outcome]:
        """Return that all is stored."""
        return [Outcome() for _ in elements]

    def state(self, gateway: Topic) -> RelayState:
        """Return that readings get through."""
        return RelayState(connected=True)


_LET_IN = """
WITH made AS (
    INSERT INTO principal (kind)
    SELECT 'token' WHERE NOT EXISTS (SELECT FROM token WHERE hash = $1)
    RETURNING id
)
INSERT INTO token (name, hash, role, created_at, principal_id)
SELECT 'operator', $1, 'admin', $2, made.id FROM made
"""


async def let_in(database: asyncpg.Connection | asyncpg.Pool) -> None:
    """Let the bearer of TOKEN in, who is called operator and may do everything; repeats change nothing."""
    await database.execute(_LET_IN, digest(TOKEN), NOON)


async def token(connection: asyncpg.Connection, name: str = "test", **more: Any) -> str:
    """Make a token that may do everything, or what `more` says."""
    new = NewToken(**{"name": name, "role": Role.ADMIN, **more})
    return await create_token(connection, new, now(), by=PLATFORM)


async def add_town(connection: asyncpg.Connection, name: str = "tripoli") -> None:
    """Add a municipality."""
    await connection.execute(
        """
        INSERT INTO municipality (name, title, time_zone, locale, lat, lon)
        VALUES ($1, $2, 'Asia/Beirut', 'ar-LB', 34.4367, 35.8497)
        ON CONFLICT DO NOTHING
        """,
        name,
        {"en": "Tripoli", "fr": "Tripoli", "ar": "طرابلس"},
    )


async def add(connection: asyncpg.Connection, name: str, kind: str = "bin", **more: Any) -> Device:
    """Register a device, its town too."""
    town = more.pop("municipality", "tripoli")
    await add_town(connection, town)
    if not more.get("planned"):
        more.setdefault("installed_at", NOON - timedelta(days=60))
    new = NewDevice(name=name, kind=kind, municipality=town, **more)
    return await add_device(connection, KINDS, new, now, by=PLATFORM)


async def add_rule(
    connection: asyncpg.Connection, rule: str, kind: str | None = "bin", family: str = "stream"
) -> None:
    """Add version 1 of a rule that nobody evaluates."""
    await connection.execute(
        """
        INSERT INTO rule (id, version, kind, definition, created_at, family) VALUES ($1, 1, $2, '{}', $3, $4)
        ON CONFLICT DO NOTHING
        """,
        rule,
        kind,
        NOON,
        family,
    )


async def fire(
    connection: asyncpg.Connection,
    device: Device,
    *,
    rule: str = "bin-overflow",
    family: str = "stream",
    severity: Severity = Severity.MAJOR,
    at: datetime = NOON,
    summary: Mapping[str, str] = SENTENCE,
    evidence: Mapping[str, Any] | None = None,
) -> int:
    """Open an alert the way ingest does and return its id."""
    await add_rule(connection, rule, family=family)
    await _change(
        connection,
        device,
        rule,
        ConditionState.PENDING,
        ConditionState.FIRING,
        severity,
        at,
        summary,
        evidence or {},
    )
    alert: int = await connection.fetchval(
        "SELECT id FROM alert WHERE rule = $1 AND device_id = $2 AND state = 'firing'", rule, device.id
    )
    return alert


async def resolve(connection: asyncpg.Connection, device: Device, *, rule: str = "bin-overflow") -> None:
    """Resolve the device's open alert the way ingest does."""
    await _change(
        connection,
        device,
        rule,
        ConditionState.FIRING,
        ConditionState.RESOLVED,
        Severity.MAJOR,
        NOON,
        SENTENCE,
        {},
    )


async def _change(
    connection: asyncpg.Connection,
    device: Device,
    rule: str,
    before: ConditionState,
    after: ConditionState,
    severity: Severity,
    at: datetime,
    summary: Mapping[str, str],
    evidence: Mapping[str, Any],
) -> None:
    transition = Transition(
        rule=rule,
        version=1,
        device_id=device.id,
        from_state=before,
        to_state=after,
        severity=severity,
        observed_at=to_microseconds(at),
        received_at=to_microseconds(at),
        evidence=evidence,
    )
    sentence = {language: text.format(device=device.name) for language, text in summary.items()}
    async with connection.transaction():
        await record(connection, [transition], lambda _: sentence, to_microseconds(at))


async def plan(connection: asyncpg.Connection, device: str) -> int:
    """Plan maintenance of a device every night and return the plan's number."""
    nightly = Recurrence(every="week", days=range(1, 8), from_time=time(2), until_time=time(4))
    made = await plans.add_plan(connection, nightly, device=device, reason="washing", by=PLATFORM, now=now())
    return made.id


async def work_plan(connection: asyncpg.Connection, device: str) -> int:
    """Plan preventive work on a device and return the plan's number."""
    new = NewPlan(title="wash it", every=6, unit="months", device=device)
    return (await add_work_plan(connection, new, KINDS, by=PLATFORM, now=now())).id


async def store(connection: asyncpg.Connection, device: Device, rows: list[dict[str, Any]]) -> None:
    """Store readings of one device; each row names measurements and `observed_at`, perhaps `quality`."""
    measurements = sorted({name for row in rows for name in row} - {"observed_at", "quality", "extra"})
    columns = ["device_id", "observed_at", "received_at", "quality", "extra", *measurements]
    await connection.copy_records_to_table(
        f"{device.kind}_reading",
        columns=columns,
        records=[
            (
                device.id,
                row["observed_at"],
                row["observed_at"] + timedelta(seconds=1),
                row.get("quality", 0),
                row.get("extra"),
                *(row.get(name) for name in measurements),
            )
            for row in rows
        ],
    )


async def report(
    connection: asyncpg.Connection, device: Device, at: datetime = NOON, quality: int = 0, **values: Any
) -> None:
    """Make these the newest values of a device."""
    await flush(
        connection,
        LatestColumns(
            device_id=[device.id],
            observed_at=[to_microseconds(at)],
            received_at=[to_microseconds(at)],
            interval_s=[600.0],
            quality=[quality],
            measurements=[values],
        ),
    )


def instant(text: str) -> datetime:
    """Read an instant as the API writes it."""
    return to_datetime(to_microseconds(msgspec.convert(text, datetime)))


_REJECT = """
INSERT INTO rejection (shard, batch, received_at, topic, device, reason, pointer, detail, payload)
VALUES ('main', 1, $1, $2, $3, 'unknown_device', '', 'nobody registered it', $4)
"""


async def subscription(connection: asyncpg.Connection, name: str, town: str = "tripoli") -> str:
    """Have bins of a town told to somebody; return the subscription's id."""
    endpoint = {"uri": "https://93.184.216.34/", "accept": "application/json"}
    document = {
        "type": "Subscription",
        "entities": [{"type": "WasteContainer"}],
        "notification": {"format": "normalized", "endpoint": endpoint},
    }
    new = NewEntitySubscription(
        id=f"urn:ngsi-ld:Subscription:{name}",
        towns=[town],
        document=document,
        context="http://127.0.0.1/c",
        uri=endpoint["uri"],
    )
    await add_subscription(connection, new, now, by=PLATFORM)
    return new.id


async def reject(connection: asyncpg.Connection, name: str, *, town: str = "tripoli") -> None:
    """Put a reading of a device that nobody registered into quarantine."""
    topic = f"nabd/v1/{town}/bin/{name}/telemetry"
    await connection.execute(_REJECT, NOON - timedelta(hours=2), topic, name, b'{"fill_pct": 12}')


async def command(connection: asyncpg.Connection, device: Device) -> UUID:
    """Let a command wait for a device; return its id."""
    expires_at = now() + 3_600_000_000
    new = NewCommand(id=uuid4(), device=device, name="report_now", args={}, expires_at=expires_at)
    await enqueue(connection, [new], now, by=PLATFORM)
    return new.id


async def command_request(connection: asyncpg.Connection, town: str) -> int:
    """Ask for a command to all bins of a town and return the request's number."""
    new = NewRequest(municipality=town, kind="bin", name="report_now", args={}, reason="look")
    return (await ask(connection, KINDS, new, now, by=PLATFORM)).id


async def image(connection: asyncpg.Connection, kind: str, version: str) -> None:
    """Add an image; nobody has its bytes."""
    key = Ed25519PrivateKey.generate()
    facts = facts_of(f"{kind} {version}".encode(), kind, version)
    signed = {"signature": sign(facts, key), "public_key": public_of(key)}
    await add_image(connection, KINDS, facts, **signed, note="", now=now, by=PLATFORM)


async def give_passwords(connection: asyncpg.Connection, *names: str) -> None:
    """Let devices sign in, so that they can fetch images."""
    await rotate_passwords(connection, KINDS, names, now=now, by=PLATFORM, random=secrets.token_bytes)


async def rollout(connection: asyncpg.Connection, town: str) -> int:
    """Start a rollout to a new bin of a town and return its number."""
    number: int = await connection.fetchval("SELECT count(*) FROM firmware_image")
    await add(connection, f"rolled-{number}", municipality=town)
    await give_passwords(connection, f"rolled-{number}")
    await image(connection, "bin", f"1.{number}")
    new = NewRollout(kind="bin", version=f"1.{number}", municipality=town)
    return (await start(connection, new, now, by=PLATFORM)).id
