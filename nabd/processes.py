"""The processes of the platform, one coroutine each: settings in, running until told to stop.

Composition only: ingest gets its consumers here, the API its checks and metrics.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import uuid4

import asyncpg
import structlog

from api.metrics.platform import Queue
from devices import kinds
from devices.compiled.part import Functions
from devices.instants import Now
from devices.kinds import Kinds
from devices.wire import Kernel
from devices.wire.compiled.part import PART as DECODER
from ingest import compiling, service
from ingest.commit import shard
from ingest.commit.commit import Step
from ingest.commit.consumers import BatchConsumer
from ingest.compiling import Wanted
from nabd import clock, housekeeping, readiness, rollups
from nabd.broker.queue import QueueWatch, limits_of
from nabd.commanding import follower, rollouts
from nabd.first_link import is_without_admin
from nabd.identity import sign_ins
from nabd.identity.follower import CredentialWatch
from nabd.retention.classes import classes_of
from nabd.settings import (
    Settings,
    audit_directory,
    authority_file,
    compiled_directories,
    firmware_directory,
    photo_directory,
    quotas_of,
    retention_of,
    tls_directory,
)
from nabd.starting import (
    broker_of,
    database_of,
    is_loopback,
    message_source,
    outlasting,
    ready_database,
    stop_on_signals,
    unless_stopped,
)
from nabd.watching.traces import traces_of
from people.request_limits import RequestQuota
from people.sessions import SessionLimits
from readings.rollups.marks import RollupMarks
from readings.tables import tables_of
from rules.context.compiled.part import PART as RULES
from rules.live.consumer import LiveRules
from rules.sweeps import leader
from rules.trial.consumer import ShadowRules
from store.connection import Connection
from store.errors import StoreError
from store.failures import DATABASE_ERRORS
from store.pool import connect, keep_plans, open_pool
from store.standing.replica import Replica

log = structlog.get_logger(__name__)

CLOSE_S = 5.0
MIGRATION_EVERY_S = 2.0
SWEEP_EVERY_S = 2.0


def consumers_of(declared: Kinds, functions: Functions) -> list[BatchConsumer]:
    """Return what runs in every batch's transaction; functions: compiled ones, once there are some."""
    return [LiveRules(declared, functions), ShadowRules(declared, functions), RollupMarks()]


async def ingest(
    settings: Settings,
    consumers: Callable[[Kinds, Functions], Sequence[BatchConsumer]] = consumers_of,
    step: Step = lambda _: None,
) -> None:
    """Ingest one shard, with the rules in every batch's transaction; `step` hears of each of its steps."""
    stop = stop_on_signals()
    source = message_source(settings)
    dsn = await unless_stopped(stop, ready_database(settings))
    finding = outlasting(dsn, lambda connection: shard.client_id(connection, settings.shard))
    client_id = await unless_stopped(stop, finding)
    now, _ = clock.parse(settings.clock)
    declared = kinds.load(settings.kinds_dir)

    async def open_database() -> Connection:
        connection = await connect(dsn)
        try:
            await keep_plans(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    traces = traces_of(settings, "ingest")
    kernel, functions = Kernel(), Functions()
    options = service.IngestOptions(
        broker=replace(source.broker, client_id=client_id),
        open_session=source.open,
        open_database=open_database,
        kinds=declared,
        now=now,
        owner=uuid4(),
        shard=settings.shard,
        consumers=consumers(declared, functions),
        retention=settings.retention_days * 86_400_000_000,
        batch_messages=settings.batch_rows,
        quotas=quotas_of(settings),
        step=step,
        traced=traces.batch if traces else lambda _: service.UNTRACED,
        kernel=kernel,
    )
    wanted = [Wanted(DECODER, kernel.take), Wanted(RULES, functions.update)]
    providing = asyncio.create_task(_compiled(wanted, settings))
    try:
        await service.run(options, stop)
    finally:
        providing.cancel()
        with suppress(asyncio.CancelledError):
            await providing
        if traces:
            traces.close()


async def _compiled(wanted: Sequence[Wanted], settings: Settings) -> None:
    if settings.compiled_code:
        await compiling.provide(wanted, compiled_directories(settings))
    else:
        log.info("without compiled code", reason="NABD_COMPILED_CODE")


async def sweep(settings: Settings) -> None:
    """Run the sweep rules, keep partitions, roll readings up, tell the broker who may sign in.

    Of several of these processes one judges and keeps.
    """
    stop = stop_on_signals()
    dsn = await unless_stopped(stop, ready_database(settings))
    now, speed = clock.parse(settings.clock)
    declared = kinds.load(settings.kinds_dir)
    pool = await open_pool(dsn, min_size=0, max_size=4)
    tables = tables_of(declared.values(), retention_of(settings))
    leading = leader.run(
        pool,
        declared,
        now,
        SWEEP_EVERY_S,
        alive_within_s=readiness.ALIVE_S * speed,
        acknowledged_for_s={s: hours * 3600 for s, hours in settings.acknowledged_for_h.items()},
    )
    sweeping = [
        asyncio.create_task(leading),
        asyncio.create_task(
            housekeeping.run(
                pool,
                tables,
                now,
                classes=classes_of(settings),
                audit_dir=audit_directory(settings),
            )
        ),
        asyncio.create_task(rollups.run(pool, list(declared.values()), now)),
        asyncio.create_task(rollouts.run(pool, now, settings.public_url)),
    ]
    if settings.broker_files is not None:
        following = CredentialWatch(
            pool=pool,
            directory=settings.broker_files,
            tls_dir=tls_directory(settings),
            broker=broker_of(settings) if settings.broker is not None else None,
            now=now,
        )
        sweeping.append(asyncio.create_task(following.run()))
        if settings.broker is not None:
            sweeping.append(asyncio.create_task(sign_ins.watch(pool, broker_of(settings), now)))
    if settings.heartbeat_url:
        from nabd.watching import heartbeat  # not above: with an HTTP client

        wanted = heartbeat.checks(settings, pool, declared, now, speed)
        sweeping.append(asyncio.create_task(heartbeat.run(settings.heartbeat_url, wanted)))
    stopping = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait({*sweeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (*sweeping, stopping):
        task.cancel()
    await asyncio.gather(*sweeping, return_exceptions=True)
    await pool.close()
    for task in done - {stopping}:
        task.result()


async def api(settings: Settings) -> None:
    """Serve the API and the console; without a database /readyz says so until there is one."""
    # Not above: every other process and command starts in half the time without FastAPI.
    from api.app import create_app
    from api.context import LONG_QUERIES
    from api.http.server import Server, listen
    from api.tiles.source import source_of
    from nabd import doctor
    from nabd.broker.relaying import ways_in
    from nabd.channels import channels_of, webhook_targets
    from nabd.oidc import provider_of

    stop = stop_on_signals()
    now, speed = clock.parse(settings.clock)
    # A malformed address ends the process at once; it is not left to /readyz.
    watch = QueueWatch(broker_of(settings), limits_of(settings)) if settings.broker is not None else None
    channels = channels_of(settings, clock.wall)
    declared = kinds.load(settings.kinds_dir)
    pool = await open_pool(database_of(settings), min_size=0, max_size=20)
    announcing = asyncio.create_task(_announce_first(settings))
    replica_pool = None
    if settings.replica:
        replica_pool = await open_pool(settings.replica, min_size=0, max_size=LONG_QUERIES + 1)
    replica = Replica(replica_pool, pool) if replica_pool else None
    following = asyncio.create_task(replica.run()) if replica else None
    watching = asyncio.create_task(watch.run()) if watch else None
    queue: Queue = watch.queue if watch else lambda: None
    sending = asyncio.create_task(_command(settings, now, speed)) if settings.broker is not None else None
    ways = None
    if settings.broker is not None:
        ways = ways_in(broker_of(settings), pool, declared, now, settings.profiles_dir)
    relaying = asyncio.create_task(ways.run()) if ways else None
    app = create_app(
        pool=pool,
        kinds=declared,
        now=now,
        beyond_loopback=settings.http_token_always or not is_loopback(settings.http_host),
        real_now=clock.wall,
        session_limits=SessionLimits(
            idle=timedelta(hours=settings.session_idle_hours), longest=timedelta(days=settings.session_days)
        ),
        totp_required=settings.totp_required_for_admins,
        oidc=provider_of(settings),
        speed=speed,
        checks=readiness.checks(settings, pool, declared, now, speed, queue),
        queue=queue,
        channels=channels,
        profiles_dir=settings.profiles_dir,
        photo_dir=photo_directory(settings),
        firmware_dir=firmware_directory(settings),
        authority=authority_file(settings),
        web_push=settings.web_push,
        tiles=source_of(settings.map_tiles, settings.map_attribution),
        examine=lambda language: doctor.told(settings, language),
        request_quota=RequestQuota(token=settings.requests_token, address=settings.requests_address),
        replica=replica,
        relaying=ways.relays if ways else None,
        deliveries=ways.deliveries if ways else None,
        webhook_targets=webhook_targets(settings),
    )
    traces = traces_of(settings, "api")
    server = Server(app, traces.app) if traces else Server(app)
    listener = listen(settings.http_host, settings.http_port)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    log.info("listening", host=settings.http_host, port=listener.getsockname()[1])
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    for task in (stopping, announcing, watching, sending, relaying, following):
        if task is not None:
            task.cancel()
    await serving
    for channel in channels.values():
        await channel.close()
    if traces:
        await asyncio.to_thread(traces.close)
    for opened in (pool, replica_pool):
        if opened is not None:
            await _close(opened)


async def _close(pool: asyncpg.Pool) -> None:
    try:
        await asyncio.wait_for(pool.close(), CLOSE_S)
    except DATABASE_ERRORS:
        pool.terminate()  # the database has stopped already, or does not answer


async def _command(settings: Settings, now: Now, speed: float) -> None:
    """Hand commands to the broker, once the database is there and migrated."""
    while True:
        try:
            dsn = await ready_database(settings)
        except StoreError:
            await asyncio.sleep(MIGRATION_EVERY_S)  # /readyz says it
        else:
            break
    await follower.follow(partial(connect, dsn), broker_of(settings), now, speed)


async def _announce_first(settings: Settings) -> None:
    """Once the database is there and migrated, say how to sign in where nobody can yet."""
    told = ""
    while True:
        try:
            dsn = await ready_database(settings)
            nobody = await outlasting(dsn, is_without_admin)
        except (StoreError, *DATABASE_ERRORS) as error:
            reason = str(error) or type(error).__name__
            if reason != told:
                log.warning("whether somebody can sign in waits for the database", error=reason)
            told = reason
            await asyncio.sleep(MIGRATION_EVERY_S)
        else:
            break
    if nobody:
        print("nobody can sign in yet: `nabd user first` prints a link for an administrator", flush=True)
