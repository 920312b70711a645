"""`nabd bench production`: an installation with every account, door and password, spoken to by devices."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from asyncpg import PostgresError

from bench.throughput.children import ChildFailed
from nabd.cli.output import console, fail, print_json
from nabd.cli.values import duration
from nabd.embedded.broker import BrokerFailed
from store.errors import StoreError

# What runs is imported by who runs it: every other command starts without it.
FAILURES = (BrokerFailed, ChildFailed, StoreError, PostgresError, OSError)


def production(
    lasting: Annotated[str, typer.Option("--for", help="how long devices speak: 20s, 3m")] = "3m",
    devices: Annotated[int, typer.Option(min=2, help="how many, each with a password of its own")] = 500,
    lorawan: Annotated[
        int, typer.Option(min=0, help="how many devices of others, behind two network servers; 0: none")
    ] = 300,
    seed: Annotated[int, typer.Option(help="same seed, same town")] = 1,
    keep: Annotated[
        Path | None, typer.Option(help="directory that stays afterwards, with configuration and logs")
    ] = None,
) -> None:
    """Install Nabd as systemd would run it, let devices speak by TLS, and look for every reading.

    PostgreSQL with an account for each process, mosquitto with TLS, passwords and ACL, every process with its
    own secrets. LoRaWAN devices of four models speak through ChirpStack and The Things Stack at a broker of
    their own, with copies, lost frames and wrong clocks, while the bridge is killed and that broker is away.
    The last line is JSON; exits with 1 where something was lost or somebody came in who may not.
    """
    from bench.production.run import run

    seconds = duration(lasting).total_seconds()
    directory = keep or Path(tempfile.mkdtemp(prefix="nabd-production-"))
    if keep is not None and keep.exists() and any(keep.iterdir()):
        fail(f"{keep} is not empty: name a directory that is new")
    tell = console(stderr=True).print
    try:
        result = asyncio.run(
            run(
                directory.absolute(),
                devices=devices,
                others=lorawan,
                seconds=seconds,
                seed=seed,
                tell=tell,
            )
        )
    except FAILURES as error:
        fail(str(error))
    finally:
        if keep is None:
            shutil.rmtree(directory, ignore_errors=True)
    print_json(result.summary())
    if not result.holds:
        raise typer.Exit(1)
