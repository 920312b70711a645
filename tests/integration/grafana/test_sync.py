"""`nabd grafana sync` against a server that answers as Grafana's API does; with GRAFANA_URL, against that."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from nabd.cli import app
from nabd.watching.rules import RULES
from tests.integration.api import builders
from tests.integration.grafana.grafana_api import ADMIN, TOKEN, GrafanaApi

DASHBOARDS = 10
LANGUAGES = 3


@pytest.fixture
async def towns(connection: asyncpg.Connection) -> asyncpg.Connection:
    """A database with two municipalities."""
    await builders.add_town(connection, "saida")
    await builders.add_town(connection, "tripoli")
    return connection


@pytest.fixture
async def grafana() -> AsyncIterator[tuple[GrafanaApi, str]]:
    """A server, and its address."""
    api = GrafanaApi()
    async with api.serving() as url:
        yield api, url


async def nabd(*arguments: str, dsn: str, **settings: str) -> Result:
    """Run `nabd grafana sync` beside the server's event loop."""
    env = {
        "NABD_DATABASE": dsn,
        "NABD_GRAFANA_PASSWORD": ADMIN[1],
        "NABD_GRAFANA_DATABASE": "db:5432",
        **settings,
    }
    return await asyncio.to_thread(CliRunner().invoke, app, ["grafana", "sync", *arguments], env=env)


def steps(result: Result) -> list[dict[str, Any]]:
    """Return what was done, or would be."""
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


async def test_server_gets_an_organisation_for_all_and_one_for_each_municipality_and_twice_does_nothing_more(
    towns: asyncpg.Connection, dsn: str, grafana: tuple[GrafanaApi, str]
) -> None:
    api, url = grafana

    trial = steps(await nabd(url, "--dry-run", "--json", dsn=dsn))
    assert api.written == 0
    assert not await towns.fetchval("SELECT count(*) FROM database_reader")
    first = steps(await nabd(url, "--json", dsn=dsn))
    written = api.written
    second = await nabd(url, dsn=dsn)

    assert first == trial
    assert len(first) == 3 * (3 + LANGUAGES * (2 + DASHBOARDS))
    assert {one.name for one in api.organisations.values()} == {
        "Main Org.",
        "Nabd",
        "Nabd saida",
        "Nabd tripoli",
    }
    assert "nothing to do" in second.output
    assert api.written == written
    saida = api.named("Nabd saida")
    assert saida.sources["nabd"]["user"] == "nabd_grafana_saida"
    assert len(saida.passwords["nabd"]) >= 32
    assert saida.passwords["nabd"] not in {api.named("Nabd tripoli").passwords["nabd"], ""}
    assert {uid for uid, (folder, _) in saida.dashboards.items() if folder == "nabd-ar"} >= {"nabd-city-ar"}
    assert {item["permission"] for items in saida.permissions.values() for item in items} == {1}
    readers = await towns.fetch(
        "SELECT r.role, m.name FROM database_reader AS r"
        " LEFT JOIN municipality AS m ON r.municipality_id = m.id"
    )
    assert {tuple(row) for row in readers} == {
        ("nabd_grafana", None),
        ("nabd_grafana_saida", "saida"),
        ("nabd_grafana_tripoli", "tripoli"),
    }
    # Roles are the server's, which other tests have used: they may have been made before.
    audited = await towns.fetch("SELECT action, after FROM audit WHERE action LIKE 'reader.%'")
    assert len(audited) == 3
    assert all("left out" in str(row["after"]) for row in audited)


async def test_what_somebody_changed_by_hand_is_named_and_brought_back(
    towns: asyncpg.Connection, dsn: str, grafana: tuple[GrafanaApi, str]
) -> None:
    api, url = grafana
    only = ("--municipality", "saida", "--language", "en", "--json")
    await nabd(url, *only, dsn=dsn)
    saida = api.named("Nabd saida")
    saida.dashboards["nabd-city-en"][1]["title"] = "Mine"
    del saida.dashboards["nabd-bin-en"]
    saida.sources["nabd"]["url"] = "elsewhere:5432"
    saida.folders["nabd-en"] = "Ours"
    saida.permissions["nabd-en"] = [{"role": "Viewer", "permission": 2}]
    password = saida.passwords["nabd"]

    trial = steps(await nabd(url, *only, "--dry-run", dsn=dsn))
    kept = {(one["subject"], one["name"]): (one["action"], one["why"]) for one in trial}
    await nabd(url, *only, dsn=dsn)

    assert kept == {
        ("data source", "nabd"): ("change", "url"),
        ("folder", "nabd-en"): ("change", "title"),
        ("permissions", "nabd-en"): ("change", ""),
        ("dashboard", "nabd-city-en"): ("change", "title"),
        ("dashboard", "nabd-bin-en"): ("add", ""),
    }
    assert saida.passwords["nabd"] == password
    assert saida.dashboards["nabd-city-en"][1]["title"] == "City overview"
    assert steps(await nabd(url, *only, dsn=dsn)) == []


async def test_pruning_removes_what_is_ours_and_unwanted_and_nothing_of_others(
    towns: asyncpg.Connection, dsn: str, grafana: tuple[GrafanaApi, str]
) -> None:
    api, url = grafana
    only = ("--municipality", "saida", "--json")
    await nabd(url, *only, dsn=dsn)
    saida = api.named("Nabd saida")
    added = {"nabd-old-en": "nabd-en", "mine": "nabd-en", "nabd-old-de": "nabd-de", "theirs": "nabd-it"}
    for uid, folder in added.items():
        saida.dashboards[uid] = (folder, {"title": uid, "version": 1})
    saida.folders |= {"nabd-de": "Deutsch", "nabd-it": "Italiano", "nabd-es": "Español"}
    saida.inner["nabd-es"] = ["own-folder"]

    refused = await nabd(url, *only, "--prune", "--language", "en", dsn=dsn)
    pruned = steps(await nabd(url, *only, "--prune", dsn=dsn))

    assert refused.exit_code == 2
    assert "would remove all other languages" in refused.output
    assert {(one["action"], one["subject"], one["name"]) for one in pruned} == {
        ("remove", "dashboard", "nabd-old-en"),
        ("remove", "folder", "nabd-de"),
    }
    assert {"mine", "theirs"} <= set(saida.dashboards)


async def test_alert_rules_of_the_platform_go_where_all_is_read_over_the_source_that_is_named(
    towns: asyncpg.Connection, dsn: str, grafana: tuple[GrafanaApi, str]
) -> None:
    api, url = grafana
    watched = ("--language", "en", "--metrics-source", "prom", "--json")
    early = await nabd(url, *watched, dsn=dsn)
    await nabd(url, "--language", "en", dsn=dsn)
    everything, saida = api.named("Nabd"), api.named("Nabd saida")
    everything.sources["prom"] = {"uid": "prom", "name": "Prometheus", "type": "prometheus"}

    added = steps(await nabd(url, *watched, dsn=dsn))

    assert early.exit_code == 1
    assert "'Nabd' has no data source prom" in early.output
    assert len(everything.rules) == len(added) == len(RULES)
    assert {(one["action"], one["subject"]) for one in added} == {("add", "alert rule")}
    assert not saida.rules
    asked = {q["datasourceUid"] for rule in everything.rules.values() for q in rule["data"]}
    assert asked == {"prom", "__expr__"}
    assert steps(await nabd(url, *watched, dsn=dsn)) == []

    # Changed by hand, removed by hand, of an earlier version, of somebody else.
    everything.rules["nabdapiaway"]["for"] = "9h"
    everything.rules["nabddatabaseaway"]["data"][1]["model"]["conditions"][0]["evaluator"]["params"] = [7]
    del everything.rules["nabdingestsilent"]
    everything.rules["nabdgone"] = {**everything.rules["nabdapiaway"], "uid": "nabdgone"}
    everything.rules["theirs"] = {**everything.rules["nabdapiaway"], "uid": "theirs"}
    mended = steps(await nabd(url, *watched, dsn=dsn))
    pruned = steps(await nabd(url, "--prune", "--metrics-source", "prom", "--json", dsn=dsn))

    assert {(one["action"], one["name"], one["why"]) for one in mended} == {
        ("change", "nabdapiaway", "for"),
        ("change", "nabddatabaseaway", "data"),
        ("add", "nabdingestsilent", ""),
    }
    assert [one["name"] for one in pruned if one["action"] == "remove"] == ["nabdgone"]
    # Whoever does not name a source has nothing to say about alert rules.
    assert not [
        one for one in steps(await nabd(url, "--prune", "--json", dsn=dsn)) if one["subject"] == "alert rule"
    ]


async def test_password_that_the_database_does_not_take_is_made_anew(
    towns: asyncpg.Connection, dsn: str, grafana: tuple[GrafanaApi, str]
) -> None:
    api, url = grafana
    only = ("--municipality", "saida", "--language", "en", "--json")
    await nabd(url, *only, dsn=dsn)
    saida = api.named("Nabd saida")
    before = saida.passwords["nabd"]
    saida.rejected.add("nabd")

    mended = steps(await nabd(url, *only, dsn=dsn))

    assert [(one["subject"], one["why"]) for one in mended] == [
        ("account", "new password"),
        ("data source", "password"),
    ]
    assert saida.passwords["nabd"] != before
    assert steps(await nabd(url, *only, dsn=dsn)) == []


async def test_token_brings_its_own_organisation_to_what_is_wanted_and_no_other(
    towns: asyncpg.Connection, dsn: str, grafana: tuple[GrafanaApi, str]
) -> None:
    api, url = grafana
    api.token_of = api.add("Nabd saida")

    done = steps(await nabd(url, "--language", "fr", "--json", dsn=dsn, NABD_GRAFANA_TOKEN=TOKEN))
    api.token_of = 1
    strange = await nabd(url, dsn=dsn, NABD_GRAFANA_TOKEN=TOKEN)

    assert {one["organisation"] for one in done} == {"Nabd saida"}
    assert len(api.named("Nabd saida").dashboards) == DASHBOARDS
    assert strange.exit_code == 1
    assert "'Main Org.', which is none of ours" in strange.output


# What Grafana's pages "HTTP API" name for each of these.
@pytest.mark.parametrize(
    ("asked", "status", "words", "said"),
    [
        ("POST /api/dashboards/db", 400, "Invalid alert data", "refuses dashboard nabd-"),
        (
            "POST /api/folders",
            403,
            "Access denied to this folder",
            "administration may",
        ),
        ("POST /api/folders", 409, "a folder with that UID already exists", "refuses folder nabd-"),
        ("POST /api/dashboards/db", 412, "The dashboard has been changed by someone else", "by someone else"),
        ("POST /api/datasources", 409, "data source with the same name already exists", "the data source"),
        ("POST /api/dashboards/db", 500, "database is locked", "failed, asked for dashboard"),
    ],
)
async def test_refusal_of_the_server_is_told_with_what_it_refused_and_the_next_run_goes_on(
    towns: asyncpg.Connection,
    dsn: str,
    grafana: tuple[GrafanaApi, str],
    asked: str,
    status: int,
    words: str,
    said: str,
) -> None:
    api, url = grafana
    api.refused = {asked: (status, words)}

    refused = await nabd(url, "--municipality", "saida", "--language", "en", dsn=dsn)
    api.refused = {}
    again = await nabd(url, "--municipality", "saida", "--language", "en", dsn=dsn)

    assert refused.exit_code == 1
    assert words in refused.output
    assert said in refused.output
    assert "Traceback" not in refused.output
    assert again.exit_code == 0, again.output
    assert len(api.named("Nabd saida").dashboards) == DASHBOARDS


async def test_failure_is_one_line_that_names_what_helps(
    towns: asyncpg.Connection, dsn: str, grafana: tuple[GrafanaApi, str]
) -> None:
    api, url = grafana
    wrong = await nabd(url, dsn=dsn, NABD_GRAFANA_PASSWORD="no")
    api.version = "9.5.2"
    old = await nabd(url, dsn=dsn)
    nobody = await nabd("http://127.0.0.1:9", dsn=dsn)
    unset = await nabd(dsn=dsn)
    town = await nabd(url, "--municipality", "atlantis", dsn=dsn)
    api.version = "12.2.0"
    api.organisations[9] = api.organisations.pop(1)
    gone = await nabd(url, dsn=dsn)

    said = {
        "does not accept user admin and its password": wrong,
        "Grafana 9.5.2": old,
        "127.0.0.1:9 does not answer": nobody,
        "no server is named": unset,
        "there is no municipality atlantis": town,
        "Organization not found": gone,
    }
    for sentence, result in said.items():
        assert result.exit_code == 1, sentence
        assert sentence in result.output, result.output
        assert len(result.output.strip().splitlines()) == 1, result.output


if "GRAFANA_URL" in os.environ:

    async def test_server_of_the_environment_takes_the_same(towns: asyncpg.Connection, dsn: str) -> None:
        only = ("--municipality", "saida", "--json")
        settings = {"NABD_GRAFANA_PASSWORD": os.environ.get("GRAFANA_PASSWORD", "admin")}

        first = steps(await nabd(os.environ["GRAFANA_URL"], *only, dsn=dsn, **settings))
        second = steps(await nabd(os.environ["GRAFANA_URL"], *only, dsn=dsn, **settings))

        assert first
        assert second == []
