"""`nabd bench codecs`: what profiles and vendors' JavaScript cost for a message."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from operator import itemgetter
from statistics import median
from typing import Annotated

import typer

from bench.codecs import costs
from devices import kinds, profiles
from devices.codecs.codec import CodecsAway
from nabd.cli.output import fail, line, print_json, table

AIMS = {"profile_per_s": 10_000, "javascript_per_s": 1_000}


def codecs(
    messages: Annotated[
        int, typer.Option(min=100, help="messages in a run, of each profile and codec")
    ] = 5_000,
) -> None:
    """Measure messages a second of one core; the last line is JSON.

    `profile_per_s` is the median of the shipped profiles with their documented messages. `javascript_per_s`
    is a codec of a kilobyte over its pipes, with the profile that reads what it returns: the processor time
    of both processes. Exits with 1 where an aim is missed: 10,000 and 1,000.
    """
    declared = kinds.load()
    by_profile = {
        name: round(per_s)
        for name, profile in profiles.load(declared | kinds.load(profiles.KINDS)).items()
        if (per_s := costs.of_profile(profile, messages))
    }
    table(["profile", "messages/s"], sorted(by_profile.items(), key=itemgetter(1)))
    reader = profiles.read(costs.HERE / "bin.toml", declared)
    try:
        by_codec = {
            name: asyncio.run(
                costs.of_codec(reader, codec, messages if name != "extending" else messages // 10)
            )
            for name, codec in costs.codecs_of_ours().items()
        }
    except CodecsAway as error:
        fail(str(error))
    table(
        ["codec", "bytes", "messages/s", "us in its process"],
        [
            [name, one.source_bytes, f"{one.per_s:.0f}", f"{one.sandbox_us:.0f}"]
            for name, one in by_codec.items()
        ],
    )
    rates = {
        "profile_per_s": round(median(by_profile.values())),
        "javascript_per_s": round(by_codec["small"].per_s),
    }
    missed = [name for name, aim in AIMS.items() if rates[name] < aim]
    for name in missed:
        line(f"{name} misses its aim: {rates[name]} < {AIMS[name]}")
    by_kind = {name: asdict(one) for name, one in by_codec.items()}
    print_json({**rates, "profiles": by_profile, "javascript": by_kind})
    if missed:
        raise typer.Exit(1)
