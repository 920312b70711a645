"""All of it: installed from nothing as docs/installation.md says, spoken to by devices, and counted."""

from __future__ import annotations

from pathlib import Path

from bench.production import broker, database, https, lorawan, processes
from bench.production.devices import equipped, is_plaintext_refused, speaking
from bench.production.layout import TOWN, ProductionLayout, Tell
from bench.production.processes import nabd
from bench.production.results import ProductionResult, proven
from bench.production.together import together
from store.pool import connect


async def run(
    directory: Path, *, devices: int, others: int, seconds: float, seed: int, tell: Tell
) -> ProductionResult:
    """Install, run and count; others: how many devices speak through network servers.

    Raises:
        ChildFailed: a step failed; the text is what it said.
    """
    layout = ProductionLayout(directory=directory)
    for place in (layout.logs, layout.state, layout.directory / "run"):
        place.mkdir(parents=True, exist_ok=True)
    await _configured(layout)
    tell("configuration and secrets are written")
    async with database.running(layout):
        await _migrated(layout)
        tell("the database has its accounts and its schema")
        async with (
            broker.running(layout),
            processes.running(layout),
            processes.restarting(layout, "nabd-bridge") as bridge,
            https.running(layout) as answers,
        ):
            tell("broker, processes and HTTPS run")
            dsn = database.address(layout, "nabd_api", layout.secret("database-api"))
            town = await equipped(layout, dsn, devices, seed=seed, seconds=seconds)
            tell(f"{len(town.passwords)} devices have a password each")
            refused = await is_plaintext_refused(layout, town)
            async with lorawan.running(layout, dsn, bridge, others, tell) as city:
                tell(f"all speak for {seconds:g} s")
                counts, _ = await together(
                    speaking(layout, town, seconds), lorawan.speaking(city, seconds=seconds, seed=seed)
                )
                assert counts is not None
                tell(f"{counts.published} messages were published; now every reading is looked for")
                names = [device.name for device in town.town.devices]
                proof = await proven(dsn, layout.directory / "publish.jsonl", names)
                of_others = await lorawan.result(city)
            return ProductionResult(
                sent=proof.acknowledged,
                stored=proof.stored,
                lost=len(proof.lost),
                duplicated=len(proof.duplicated) + len(proof.unexpected),
                altered=len(proof.altered),
                refused_plaintext=refused,
                devices=len(town.passwords),
                accounts=await _accounts(layout),
                https=answers,
                lorawan=of_others,
            )


async def _configured(layout: ProductionLayout) -> None:
    """Answer the five questions, and make certificates."""
    where = ["--layout", "systemd", "--directory", str(layout.directory / "etc"), "--json"]
    answers = ["--town", TOWN, "--language", "ar", "--time-zone", "Asia/Beirut", "--domain", "localhost"]
    await processes.command(["init", *where, *answers], {})
    # Where others' brokers may be: on this machine, which has no business with them otherwise.
    with layout.configuration.open("a", encoding="utf-8") as file:
        file.write('NABD_SOURCE_TARGETS=["127.0.0.0/8"]\n')
    await nabd(layout, "tls", "init", "--host", "localhost", "--host", "127.0.0.1", unit="nabd-sweep")


async def _migrated(layout: ProductionLayout) -> None:
    """Make the accounts as a superuser, then the schema as their owner; both twice, which changes nothing."""
    superuser = {"NABD_DATABASE": database.address(layout, "postgres")}
    superuser["NABD_DATABASE_PASSWORD"] = layout.secret("database-superuser")
    for _ in range(2):
        await nabd(layout, "store", "accounts", "--passwords", str(layout.secrets), **superuser)
        await nabd(layout, "migrate", unit="nabd-migrate")


_ACCOUNTS = """
SELECT count(DISTINCT usename) FROM pg_stat_activity
WHERE datname = current_database() AND usename LIKE 'nabd\\_%'
"""


async def _accounts(layout: ProductionLayout) -> int:
    password = layout.secret("database-superuser")
    connection = await connect(database.address(layout, "postgres", password))
    try:
        found: int = await connection.fetchval(_ACCOUNTS)
        return found
    finally:
        await connection.close()
