"""`nabd up | ingest | sweep | bridge | api | sim | migrate`: the processes of the platform."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
import uvloop
from pydantic import ValidationError

from devices import kinds
from devices.kinds.kind import KindError
from devices.registry.errors import RegistryError
from firmware_sim.specs import PLACES
from ingest.commit.shard import UnknownShard
from nabd import clock, logs, processes, starting
from nabd.cli.output import fail, line, print_json
from nabd.demo import simulated
from nabd.embedded import parts as embedded
from nabd.embedded.broker import BrokerFailed, free_port
from nabd.first_link import base_of, link_of
from nabd.settings import RUNNING, Settings, environment, retention_of
from nabd.starting import NotConfigured, Stopped
from nabd.supervisor import Child, Supervisor
from nabd.watching.traces import TracesMissing
from rules.definition.errors import RulesRefused
from store.errors import StoreError
from store.failures import DATABASE_ERRORS
from store.migrate import plan as plan_migration
from store.pool import connect

log = structlog.get_logger(__name__)

EXPECTED = (
    NotConfigured,
    StoreError,
    KindError,
    RulesRefused,
    RegistryError,
    UnknownShard,
    BrokerFailed,
    TracesMissing,
    *DATABASE_ERRORS,
)
"""Expected failures: printed as one line."""


def load_settings() -> Settings:
    """Return the settings, or print which variable is wrong and exit with 2."""
    return _checked(Settings)


def own_settings() -> Settings:
    """Return the settings without the file that a `nabd up` here, running or killed, has written."""
    return _checked(lambda: Settings(_env_file=None))  # type: ignore[call-arg]  # pydantic-settings' own


def _checked(load: Callable[[], Settings]) -> Settings:
    try:
        settings = load()
        clock.parse(settings.clock)
    except ValidationError as error:
        first = error.errors()[0]
        typer.echo(f"nabd: NABD_{str(first['loc'][0]).upper()}: {first['msg']}", err=True)
        raise typer.Exit(2) from error
    except ValueError as error:
        typer.echo(f"nabd: {error}", err=True)
        raise typer.Exit(2) from error
    return settings


def run_process(name: str, work: Coroutine[Any, Any, None]) -> None:
    """Run a process until it is told to stop; an expected failure is one line and exit code 1."""
    logs.configure(name)
    try:
        uvloop.run(work)
    except Stopped:
        return
    except EXPECTED as error:
        fail(str(error) or type(error).__name__)


def ingest() -> None:
    """Commit what devices publish: broker to database, rules included."""
    run_process("ingest", processes.ingest(load_settings()))


def sweep() -> None:
    """Look for what no reading can tell: silent devices; and keep partitions."""
    run_process("sweep", processes.sweep(load_settings()))


def api() -> None:
    """Serve the HTTP API, the live stream and the console."""
    run_process("api", processes.api(load_settings()))


def bridge() -> None:
    """Hear brokers of others: what they say of foreign devices is relayed, acknowledged when committed."""
    from nabd.bridge import process  # not above: with codecs and formats

    run_process("bridge", process.bridge(load_settings()))


def migrate(
    plan: Annotated[
        bool, typer.Option("--plan", help="print the SQL that would run, and run nothing")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Bring the database's schema to this version; a new database also gets the default rules."""
    settings = load_settings()
    try:
        if plan:
            statements = asyncio.run(_plan(settings))
            if as_json:
                print_json({"statements": statements})
            else:
                typer.echo(
                    "\n".join(f"{statement.rstrip(';')};" for statement in statements) or "-- up to date"
                )
            return
        starting.database_of(settings)
        report = asyncio.run(embedded.migrated(settings))
    except EXPECTED as error:
        fail(str(error))
    if as_json:
        print_json(report)
        return
    line(f"edition: {report.edition}")
    line(f"migrations applied: {', '.join(report.applied) or 'none, all were there'}")
    for name, made in (("tables", report.tables), ("columns", report.columns)):
        if made:
            line(f"{name} made: {', '.join(made)}")


async def _plan(settings: Settings) -> list[str]:
    from readings.tables import tables_of

    now, _ = clock.parse(settings.clock)
    connection = await connect(starting.database_of(settings))
    try:
        declared = kinds.load(settings.kinds_dir)
        tables = tables_of(declared.values(), retention_of(settings))
        return await plan_migration(connection, tables, now=now())
    finally:
        await connection.close()


def up() -> None:
    """Run everything on configured or embedded parts: database, broker, and the platform's processes."""
    settings = own_settings()
    logs.configure("up")
    try:
        asyncio.run(_up(settings))
    except EXPECTED as error:
        fail(str(error))


async def _up(settings: Settings) -> None:
    from api.http.server import listen  # with uvicorn: see processes.api

    stop = starting.stop_on_signals()
    if settings.http_port == 0:
        settings = settings.model_copy(update={"http_port": free_port()})
    listen(
        settings.http_host, settings.http_port
    ).close()  # a taken port fails here, not in a process that is started again and again
    async with embedded.parts(settings) as parts:
        if not parts.persistent_broker and not starting.is_loopback(settings.http_host):
            raise NotConfigured(
                "the embedded broker keeps nothing and knows no passwords, so it serves loopback only:"
                " install mosquitto, or set NABD_BROKER"
            )
        await embedded.migrated(parts.settings)
        link = await _link_or_why_not(parts.settings)
        variables = environment(parts.settings)
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        running = settings.data_dir / RUNNING.name
        running.unlink(missing_ok=True)
        running.touch(mode=0o600)  # before a password is written to it
        running.write_text(
            "".join(f"{name}={variables[name]}\n" for name in ("NABD_DATABASE", "NABD_BROKER"))
        )
        try:
            async with Supervisor(variables) as supervisor:
                for name in ("ingest", "sweep", "notify", "bridge", "api"):
                    log_file = settings.data_dir / "logs" / f"{name}.log"
                    await supervisor.start(Child(name=name, arguments=[name], log=log_file))
                line(f"database  {parts.database}")
                line(f"broker    {parts.broker}")
                line(f"console   {base_of(settings)}/")
                for text in link:
                    line(text)
                line(f"logs      {settings.data_dir / 'logs'}; Ctrl-C stops everything")
                await stop.wait()
        finally:
            running.unlink(missing_ok=True)


async def _link_or_why_not(settings: Settings) -> list[str]:
    """Return what is said of signing in; that nobody can does not stop what devices need."""
    try:
        link = await link_of(settings)
    except EXPECTED as error:
        return [f"sign in   no link could be made: {error}", "          `nabd user first` tries again"]
    return [
        f"sign in   {link}",
        "          as administrator, once, within ten minutes; `nabd user first` makes another",
    ]


def sim(
    seed: Annotated[int, typer.Option(help="same seed, same town and weather")] = 1,
    bins: Annotated[int, typer.Option(min=0, help="how many bins")] = 30,
    lights: Annotated[int, typer.Option(min=0, help="how many street lights")] = 24,
    drones: Annotated[int, typer.Option(min=0, help="how many drones")] = 3,
    municipality: Annotated[str, typer.Option(help="tripoli, nablus, benghazi or chefchaouen")] = "tripoli",
    interval_cap: Annotated[float, typer.Option(help="report at least this often, in seconds")] = 60.0,
    seconds: Annotated[float | None, typer.Option("--for", help="stop after so many seconds")] = None,
    logs_in: Annotated[Path, typer.Option("--logs", help="directory of the publish and fault logs")] = Path(
        "simulator"
    ),
    register: Annotated[bool, typer.Option(help="register the town in the database first")] = True,
) -> None:
    """Play a town of simulated devices against the configured broker."""
    settings = load_settings()
    if municipality not in PLACES:
        raise typer.BadParameter(f"one of {', '.join(PLACES)}", param_hint="--municipality")
    run_process(
        "sim",
        _sim(settings, seed, (bins, lights, drones), municipality, interval_cap, seconds, logs_in, register),
    )


async def _sim(
    settings: Settings,
    seed: int,
    numbers: tuple[int, int, int],
    municipality: str,
    interval_cap: float,
    seconds: float | None,
    logs_in: Path,
    register: bool,
) -> None:
    from firmware_sim.fleet import run
    from firmware_sim.link import SimulatorBroker as SimBroker
    from firmware_sim.town import make_town

    stop = starting.stop_on_signals()
    broker = starting.broker_of(settings)
    now, speed = clock.parse(settings.clock)
    declared = kinds.load(settings.kinds_dir)
    bins, lights, drones = numbers
    town = make_town(
        seed,
        declared,
        municipality=municipality,
        bins=bins,
        lights=lights,
        drones=drones,
        interval_cap_s=interval_cap,
    )
    if register:
        waiting = starting.ready_database(settings)
        connection = await connect(await starting.unless_stopped(stop, waiting))
        try:
            added = await simulated.register(connection, declared, town, now)
        finally:
            await connection.close()
        log.info("town registered", municipality=municipality, new_devices=added)
    if seconds is not None:
        asyncio.get_running_loop().call_later(seconds, stop.set)
    await asyncio.to_thread(logs_in.mkdir, parents=True, exist_ok=True)
    counts = await run(
        town,
        broker=SimBroker(
            host=broker.host,
            port=broker.port,
            username=broker.username,
            password=broker.password,
            tls=broker.tls,
            speed=speed,
        ),
        now=now,
        publish_log=logs_in / "publish.jsonl",
        fault_log=logs_in / "faults.jsonl",
        stop=stop,
    )
    print_json(counts)
