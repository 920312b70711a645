"""`nabd grafana annotate`: each alert is one annotation, whatever is killed; boards show these, or SQL's."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from starlette.exceptions import HTTPException
from typer.testing import CliRunner, Result

from devices.instants import to_microseconds
from nabd.cli import app
from tests.integration.api import builders
from tests.integration.grafana.grafana_api import ADMIN, TOKEN, GrafanaApi, Organisation

DEVICES, RULES = 10, 10
ALERTS = DEVICES * RULES
BEGAN = builders.NOON - timedelta(hours=1)
SINCE = ("--since", "7d")
# Towns of this file: accounts of the database that `sync` makes are the server's, and stay for other tests.
MINA = ("--municipality", "mina", *SINCE)


@pytest.fixture
async def grafana() -> AsyncIterator[tuple[GrafanaApi, str]]:
    """A server, and its address."""
    api = GrafanaApi()
    async with api.serving() as url:
        yield api, url


@pytest.fixture
async def devices(connection: asyncpg.Connection) -> list[Any]:
    """Devices of Mina with ten open alerts each, one in Zahle with one."""
    found = [await builders.add(connection, f"bin-{n}", municipality="mina") for n in range(DEVICES)]
    zahle = await builders.add(connection, "bin-of-zahle", municipality="zahle")
    for device in found:
        for rule in range(RULES):
            await builders.fire(connection, device, rule=f"rule-{rule}", at=BEGAN)
    await builders.fire(connection, zahle)
    return found


def settings(dsn: str, **more: str) -> dict[str, str]:
    """Return the environment of a command."""
    return {
        "NABD_DATABASE": dsn,
        "NABD_GRAFANA_PASSWORD": ADMIN[1],
        "NABD_GRAFANA_DATABASE": "db:5432",
        **more,
    }


async def nabd(*arguments: str, dsn: str, **more: str) -> Result:
    """Run `nabd grafana` beside the server's event loop."""
    return await asyncio.to_thread(
        CliRunner().invoke, app, ["grafana", *arguments], env=settings(dsn, **more)
    )


def lines(result: Result) -> list[dict[str, Any]]:
    """Return what a command printed as JSON."""
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@asynccontextmanager
async def running(url: str, dsn: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the process `nabd grafana annotate`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "nabd", "grafana", "annotate", url, *MINA), env=os.environ | settings(dsn)
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - the server is told nothing but what it is asked
            await asyncio.sleep(0.05)


def ended(organisation: Organisation) -> list[dict[str, Any]]:
    """Return the annotations whose alert has ended."""
    return [a for a in organisation.annotations if a["timeEnd"] > a["time"]]


def refuse_answers_after(posted: int) -> Callable[[int], None]:
    """Return what lets a server store an annotation, that many in all, and then answer that it failed."""

    def refuse(count: int) -> None:
        if count == posted:
            raise HTTPException(503, "database is locked")

    return refuse


async def test_each_of_a_hundred_alerts_is_one_annotation_though_it_is_killed_after_a_post(
    connection: asyncpg.Connection, devices: list[Any], dsn: str, grafana: tuple[GrafanaApi, str]
) -> None:
    api, url = grafana
    await nabd("sync", url, "--annotations", "--language", "en", "--municipality", "mina", dsn=dsn)

    async with running(url, dsn) as process:
        # Grafana has stored it, and nobody here will ever have read the answer.
        api.after_post = lambda posted: process.kill() if posted == 37 else None
        await process.wait()
    mina = api.named("Nabd mina")
    before = len(mina.annotations)
    api.after_post = refuse_answers_after(60)
    async with running(url, dsn) as process:
        await until(lambda: len(mina.annotations) == ALERTS)
        for device in devices:
            await builders.resolve(connection, device, rule="rule-3")
        await builders.fire(connection, devices[0], rule="late", at=BEGAN)
        await until(lambda: len(mina.annotations) == ALERTS + 1 and len(ended(mina)) == DEVICES)
        second = await nabd("annotate", url, "--once", dsn=dsn)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 0
    rest = lines(await nabd("annotate", url, "--once", "--json", *MINA, dsn=dsn))

    assert 37 <= before < ALERTS
    assert "another process annotates" in second.output
    assert rest == [{"organisation": "Nabd mina", "posted": 0, "changed": 0}]
    assert set(Counter(a["tags"][-1] for a in mina.annotations).values()) == {1}
    assert api.posted == len(mina.annotations) == ALERTS + 1
    assert {a["time"] for a in mina.annotations} == {to_microseconds(BEGAN) // 1000}
    assert {a["timeEnd"] for a in ended(mina)} == {to_microseconds(builders.NOON) // 1000}
    assert {tuple(a["tags"][:4]) for a in mina.annotations} == {("nabd", "major", "bin", "mina")}
    assert all(f"/{a['tags'][-1].replace('alert-', 'alerts/')}" in a["text"] for a in mina.annotations)


async def test_boards_mark_alerts_as_they_were_posted_or_by_sql_and_never_both(
    devices: list[Any], dsn: str, grafana: tuple[GrafanaApi, str]
) -> None:
    api, url = grafana
    only = (url, "--language", "en", "--municipality", "zahle")

    await nabd("sync", *only, dsn=dsn)
    refused = await nabd("annotate", url, "--once", dsn=dsn)
    posted = lines(await nabd("sync", *only, "--annotations", "--json", dsn=dsn))
    marks = {uid: d["annotations"]["list"] for uid, (_, d) in api.named("Nabd zahle").dashboards.items()}
    taken = lines(await nabd("annotate", url, "--once", "--json", *SINCE, dsn=dsn))
    back = lines(await nabd("sync", *only, "--json", dsn=dsn))

    assert refused.exit_code == 1
    assert "run `nabd grafana sync --annotations` first" in refused.output
    assert {one["why"] for one in posted} == {"annotations"} == {one["why"] for one in back}
    assert "rawSql" not in json.dumps(marks)
    assert [mark["target"]["tags"] for mark in marks["nabd-city-en"]] == [
        ["nabd", "critical"],
        ["nabd", "major"],
    ]
    assert [mark["target"]["tags"] for mark in marks["nabd-bin-device-en"]] == [["nabd", "$device"]]
    assert [(one["organisation"], one["posted"]) for one in taken] == [("Nabd zahle", 1)]


async def test_token_posts_to_its_own_organisation_what_it_is_told_to(
    devices: list[Any], dsn: str, grafana: tuple[GrafanaApi, str]
) -> None:
    api, url = grafana
    api.token_of = 1

    nobody = await nabd("annotate", url, "--once", dsn=dsn)
    strange = await nabd("annotate", url, "--once", "--municipality", "atlantis", dsn=dsn)
    only = ("--once", "--municipality", "zahle", "--language", "ar", *SINCE)
    taken = await nabd("annotate", url, *only, dsn=dsn, NABD_GRAFANA_TOKEN=TOKEN)

    assert nobody.exit_code == strange.exit_code == 1
    assert "has no organisation of ours" in nobody.output
    assert "there is no municipality atlantis" in strange.output
    assert taken.exit_code == 0, taken.output
    assert [a["tags"][3] for a in api.organisations[1].annotations] == ["zahle"]
    assert "ممتلئ" in api.organisations[1].annotations[0]["text"]
