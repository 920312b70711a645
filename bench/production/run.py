"""All of it: installed from nothing as docs/installation.md says, spoken to by devices, and counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.production import broker, database, https, processes
from bench.production.devices import DeviceTown, equipped, is_plaintext_refused, speaking
from bench.production.layout import TOWN, ProductionLayout
from bench.production.processes import nabd
from devices import kinds
from nabd.demo.proof import Proof, compare, read_log, stored_rows
from store.pool import connect

STORED_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionResult:
    """What became of it.

    Attributes:
        sent: readings that the broker acknowledged to a device.
        lost: those of them that are not stored; duplicated and altered ones are wrong too.
        refused_plaintext: no door lets a device in without TLS, nor with another's password.
        accounts: as how many different accounts processes are at the database.
        https: the console answers through Caddy; None: there is no Caddy here.
    """

    sent: int
    stored: int
    lost: int
    duplicated: int
    altered: int
    refused_plaintext: bool
    devices: int
    accounts: int
    https: bool | None

    @property
    def holds(self) -> bool:
        """Tell whether nothing was lost and nobody came in who may not."""
        wrong = self.lost or self.duplicated or self.altered or self.https is False
        return not wrong and self.refused_plaintext and self.sent > 0

    def summary(self) -> dict[str, object]:
        """Return it as the last line has it."""
        return asdict(self)


async def run(
    directory: Path, *, devices: int, seconds: float, seed: int, tell: Callable[[str], None]
) -> ProductionResult:
    """Install, run and count.

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
        async with broker.running(layout), processes.running(layout), https.running(layout) as answers:
            tell("broker, processes and HTTPS run")
            dsn = database.address(layout, "nabd_api", layout.secret("database-api"))
            town = await equipped(layout, dsn, devices, seed=seed, seconds=seconds)
            tell(f"{len(town.passwords)} devices have a password each; they speak for {seconds:g} s")
            refused = await is_plaintext_refused(layout, town)
            counts = await speaking(layout, town, seconds)
            tell(f"{counts.published} messages were published; now every reading is looked for")
            proof = await _proven(layout, dsn, town)
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
            )


async def _configured(layout: ProductionLayout) -> None:
    """Answer the five questions, and make certificates."""
    where = ["--layout", "systemd", "--directory", str(layout.directory / "etc"), "--json"]
    answers = ["--town", TOWN, "--language", "ar", "--time-zone", "Asia/Beirut", "--domain", "localhost"]
    await processes.command(["init", *where, *answers], {})
    await nabd(layout, "tls", "init", "--host", "localhost", "--host", "127.0.0.1", unit="nabd-sweep")


async def _migrated(layout: ProductionLayout) -> None:
    """Make the accounts as a superuser, then the schema as their owner; both twice, which changes nothing."""
    superuser = {"NABD_DATABASE": database.address(layout, "postgres")}
    superuser["NABD_DATABASE_PASSWORD"] = layout.secret("database-superuser")
    for _ in range(2):
        await nabd(layout, "store", "accounts", "--passwords", str(layout.secrets), **superuser)
        await nabd(layout, "migrate", unit="nabd-migrate")


async def _proven(layout: ProductionLayout, dsn: str, town: DeviceTown) -> Proof:
    """Compare what devices were told is safe with what is stored; ingest may still be at it."""
    lines = read_log(layout.directory / "publish.jsonl")
    names = [device.name for device in town.town.devices]
    deadline = asyncio.get_running_loop().time() + STORED_WITHIN_S
    connection = await connect(dsn)
    try:
        while True:
            rows = await stored_rows(connection, kinds.load(), names, lambda instant: instant)
            proof = compare(lines, rows)
            if not proof.lost or asyncio.get_running_loop().time() > deadline:
                return proof
            await asyncio.sleep(1)
    finally:
        await connection.close()


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
