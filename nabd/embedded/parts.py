"""The parts that settings do not name, embedded: a database, a broker, a schema with the default rules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from devices import kinds
from nabd import clock
from nabd.accounts import granting
from nabd.configuration.first_town import add_first
from nabd.embedded.broker import local_broker, port_or_free
from nabd.embedded.postgres import EmbeddedPostgres
from nabd.settings import Settings, retention_of
from readings.tables import tables_of
from rules.catalogue import catalogue, changes
from rules.definition.definition import Definition
from rules.loading import files
from store.audit import PLATFORM
from store.connection import Connection
from store.migrate import MigrationReport, migrate
from store.pool import connect

MQTT_PORT = 1883


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedParts:
    """The parts that run, and the settings with their addresses."""

    settings: Settings
    database: str
    broker: str
    persistent_broker: bool


@asynccontextmanager
async def parts(
    settings: Settings, *, postgres: Mapping[str, str] | None = None
) -> AsyncIterator[EmbeddedParts]:
    """Start the parts that settings do not name; stop them afterwards.

    Args:
        settings: a database or broker they name is used as it is.
        postgres: further settings of an embedded server.
    """
    with ExitStack() as stack:
        changes: dict[str, object] = {}
        database, broker, persistent = "as configured", "as configured", True
        if settings.database is None:
            server = EmbeddedPostgres(settings.data_dir / "postgres", settings=postgres)
            await asyncio.to_thread(stack.enter_context, server)
            changes["database"] = server.dsn()
            database = f"embedded PostgreSQL {server.version}"
        if settings.broker is None:
            own = local_broker(settings.data_dir / "broker", port=port_or_free(MQTT_PORT))
            await asyncio.to_thread(stack.enter_context, own)
            changes |= {
                "broker": str(own.address),
                "broker_queue": own.queue,
                "broker_memory_mb": 0,
                "receive_maximum": min(own.receive_maximum, settings.receive_maximum),
            }
            broker, persistent = f"{own.name} on {own.address}", own.persistent
        yield EmbeddedParts(
            settings=settings.model_copy(update=changes),
            database=database,
            broker=broker,
            persistent_broker=persistent,
        )


async def migrated(settings: Settings) -> MigrationReport:
    """Migrate the configured database; give a new one the default rules, and any the operator's own.

    Raises:
        StoreError, KindError, RulesRefused: the text says who must act.
    """
    assert settings.database is not None
    now, _ = clock.parse(settings.clock)
    declared = kinds.load(settings.kinds_dir)
    connection = await connect(settings.database, statement_timeout_s=0)
    try:
        tables = tables_of(declared.values(), retention_of(settings))
        report = await migrate(connection, tables, now=now())
        await granting.reconcile(connection, tables)
        if settings.town:
            await add_first(connection, settings.town, settings.language, settings.time_zone, now)
        if not (await catalogue.active(connection, declared)).rules:
            await _put_into_force(connection, files.default_packs(declared), now())
        if own := rule_files(settings):
            await _put_into_force(connection, files.read_files(own, declared), now())
    finally:
        await connection.close()
    return report


async def _put_into_force(connection: Connection, definitions: list[Definition], now: int) -> None:
    """Apply rules by the platform itself: their history knows no author."""
    async with connection.transaction():
        applied = await catalogue.apply(connection, definitions, now)
        await changes.record(connection, [*applied.added, *applied.changed], "applied", by=PLATFORM, now=now)


def rule_files(settings: Settings) -> list[Path]:
    """Return the operator's rule files."""
    return sorted(settings.rules_dir.glob("*.yaml")) if settings.rules_dir else []
