"""Explanations from the database: the version then in force, the device's history, its alerts."""

from __future__ import annotations

import asyncpg
import pytest

from devices.instants import to_datetime
from devices.registry.errors import Invalid, NotFound
from devices.time_zones import zone_named
from rules.catalogue import editing
from rules.explain.document import document
from rules.explain.explanation import Explanation, RuleStatus, TruthValue
from rules.explain.load import explain_rule
from rules.explain.texts import fired_by, sentences
from rules.loading.files import parse
from rules.maintenance import spans
from tests.actors import actor
from tests.integration.rules.ingestion import KINDS, Ingestion
from tests.integration.rules.test_live import OVERFLOW, START, fills, rule
from tests.integration.rules.town import MINUTE, add_device, add_rule

SILENT = "id: gone\nsummary: {en: x, fr: x, ar: x}\nsilent: {missing: 3 intervals, at_least: 2m}"


@pytest.fixture
async def device(connection: asyncpg.Connection) -> int:
    return await add_device(connection, "B-1")


async def put(connection: asyncpg.Connection, text: str, minute: int = 0) -> None:
    await editing.apply(
        connection, parse(text, KINDS), by=await actor(connection, "Rima"), now=START + minute * MINUTE
    )


async def at(connection: asyncpg.Connection, minute: int, name: str = "overflow") -> Explanation:
    return await explain_rule(connection, KINDS, name, "B-1", at=START + minute * MINUTE)


async def test_rule_is_explained_as_it_stood_at_each_moment(
    connection: asyncpg.Connection, device: int
) -> None:
    await put(connection, OVERFLOW)
    ingestion = await Ingestion(connection).start()
    for minute, fill in ((1, 50), (10, 90), (20, 91), (30, 40), (40, 40)):
        await ingestion.commit(fills(device, (minute, fill)))

    stood = [(await at(connection, minute)).status for minute in (5, 15, 25, 35, 45)]

    assert stood == ["inactive", "pending", "firing", "firing", "inactive"]


async def test_firing_rule_is_explained_by_its_alert(connection: asyncpg.Connection, device: int) -> None:
    await put(connection, OVERFLOW)
    ingestion = await Ingestion(connection).start()
    await ingestion.commit(fills(device, (10, 90), (20, 91), (30, 40)))

    found = await at(connection, 35)

    assert found.alert == await connection.fetchval("SELECT id FROM alert")
    assert found.since == START + 20 * MINUTE
    assert [t.truth for t in found.terms] == [TruthValue.FALSE]
    assert found.ends_missing is not None
    assert found.ends_missing.readings == 1


async def test_open_alert_of_a_silent_device_is_unknown(connection: asyncpg.Connection, device: int) -> None:
    await put(connection, OVERFLOW)
    ingestion = await Ingestion(connection).start()
    await ingestion.commit(fills(device, (10, 90), (20, 91)))
    await add_rule(connection, "silent", family="silent")
    await connection.execute(
        "INSERT INTO alert (rule, rule_version, device_id, state, severity, opened_at, detected_at, summary,"
        " evidence) VALUES ('silent', 1, $1, 'firing', 'minor', $2, $2, '{}', '{}')",
        device,
        to_datetime(START + 60 * MINUTE),
    )

    assert (await at(connection, 50)).status is RuleStatus.FIRING
    found = await at(connection, 61)

    assert found.status is RuleStatus.UNKNOWN
    assert found.silent_since == START + 60 * MINUTE


async def test_new_version_is_explained_by_what_it_has_seen(
    connection: asyncpg.Connection, device: int
) -> None:
    await put(connection, OVERFLOW)
    ingestion = await Ingestion(connection).start()
    await ingestion.commit(fills(device, (10, 80)))
    await put(connection, rule("overflow", "fill_pct >= 75"), minute=15)
    await ingestion.rules.reload(connection)
    await ingestion.commit(fills(device, (20, 80)))

    before, after = await at(connection, 12), await at(connection, 25)

    assert (before.version, before.status) == (1, "inactive")
    assert (after.version, after.status) == (2, "pending")
    assert after.missing is not None
    assert after.missing.readings == 1


async def test_new_version_that_has_seen_nothing_is_explained_by_what_came_before(
    connection: asyncpg.Connection, device: int
) -> None:
    await put(connection, OVERFLOW)
    ingestion = await Ingestion(connection).start()
    await ingestion.commit(fills(device, (10, 80)))
    await put(connection, rule("overflow", "fill_pct >= 75"), minute=15)

    assert (await at(connection, 16)).terms[0].value == 80


async def test_silence_is_explained_by_its_deadline(connection: asyncpg.Connection, device: int) -> None:
    await put(connection, SILENT)
    await connection.execute(
        "INSERT INTO latest (device_id, observed_at, received_at, interval_s, quality, measurements)"
        " VALUES ($1, $2, $2, 600, 0, '{}')",
        device,
        to_datetime(START),
    )

    found = await at(connection, 5, "gone")

    assert found.status is RuleStatus.INACTIVE
    assert found.deadline == START + 30 * MINUTE


async def test_rule_over_many_devices_is_explained_by_the_evidence_of_its_alert(
    connection: asyncpg.Connection, device: int
) -> None:
    forecast = (
        "id: soon\nkind: bin\nfamily: sweep\nsummary: {en: x, fr: x, ar: x}\n"
        "forecast: {measurement: fill_pct, reaches: 85}"
    )
    await put(connection, forecast)
    assert (await at(connection, 1, "soon")).status is RuleStatus.INACTIVE
    await connection.execute(
        "INSERT INTO alert (rule, rule_version, device_id, state, severity, opened_at, detected_at, summary,"
        " evidence) VALUES ('soon', 1, $1, 'firing', 'minor', $2, $2, '{}', $3)",
        device,
        to_datetime(START + 2 * MINUTE),
        {"condition": "full within 24 h"},
    )

    found = await at(connection, 3, "soon")

    assert (found.status, found.across) == (RuleStatus.FIRING, True)
    assert found.values == {"condition": "full within 24 h"}


async def test_alert_that_stands_back_says_behind_which(connection: asyncpg.Connection, device: int) -> None:
    await put(connection, OVERFLOW)
    await put(connection, rule("parent", "fill_pct >= 1", "for: 0"))
    ingestion = await Ingestion(connection).start()
    await ingestion.commit(fills(device, (10, 90), (20, 91)))
    await connection.execute(
        "UPDATE alert SET inhibited_by = (SELECT id FROM alert WHERE rule = 'parent') WHERE rule = 'overflow'"
    )

    found = await at(connection, 25)

    assert found.inhibited_by == await connection.fetchval("SELECT id FROM alert WHERE rule = 'parent'")
    assert f"alert {found.inhibited_by} explains it" in " ".join(sentences(found, "en"))


async def test_rule_does_not_look_during_maintenance(connection: asyncpg.Connection, device: int) -> None:
    await put(connection, rule("overflow", "fill_pct >= 85", "for: 1 readings"))
    await spans.plan(
        connection,
        from_at=to_datetime(START),
        until_at=to_datetime(START + 60 * MINUTE),
        reason="new lid",
        by=await actor(connection, "Rima"),
        now=START,
        device_id=device,
    )
    ingestion = await Ingestion(connection).start()
    await ingestion.commit(fills(device, (10, 90)))

    found = await at(connection, 20)

    assert (found.status, found.gate) == (RuleStatus.INACTIVE, TruthValue.FALSE)
    assert [t.text for t in found.terms] == ["fill_pct >= 85", "maintenance"]


async def test_silence_is_not_looked_at_where_power_is_off_by_plan(
    connection: asyncpg.Connection, device: int
) -> None:
    await put(connection, SILENT)
    midnight = START - START % (24 * 60 * MINUTE)
    # Tripoli is two hours ahead of UTC: power from 08:00 to 18:00 UTC.
    await connection.execute('UPDATE device SET attributes = \'{"supply": "10:00-20:00"}\'')

    by_night = await explain_rule(connection, KINDS, "gone", "B-1", at=midnight + 3 * 60 * MINUTE)
    by_day = await explain_rule(connection, KINDS, "gone", "B-1", at=midnight + 12 * 60 * MINUTE)

    assert (by_night.gate, [t.text for t in by_night.terms]) == (TruthValue.FALSE, ["supply"])
    assert (by_day.gate, by_day.terms) == (TruthValue.TRUE, ())


async def test_rule_of_another_kind_is_refused(connection: asyncpg.Connection, device: int) -> None:
    await add_device(connection, "L-1", "light")
    await put(connection, OVERFLOW)

    with pytest.raises(Invalid):
        await explain_rule(connection, KINDS, "overflow", "L-1", at=START)
    with pytest.raises(NotFound):
        await explain_rule(connection, KINDS, "overflow", "B-9", at=START)
    with pytest.raises(NotFound):
        await explain_rule(connection, KINDS, "nothing", "B-1", at=START)


async def test_firing_rule_is_explained_by_what_made_it_fire_in_the_readers_language(
    connection: asyncpg.Connection, device: int
) -> None:
    await put(connection, OVERFLOW)
    ingestion = await Ingestion(connection).start()
    await ingestion.commit(fills(device, (10, 90), (20, 91)))

    found = await at(connection, 25)

    assert [t.raw for t in found.fired_by] == [91]
    assert fired_by(found, "en") == ["Fill: 91 %"]
    assert fired_by(found, "fr") == ["Remplissage: 91 %"]
    assert fired_by(found, "ar") == ["الامتلاء: \u206891 ٪\u2069"]
    assert document(found)["fired_by"][0]["label"]["fr"] == "Remplissage"
    assert (await at(connection, 12)).fired_by == ()


async def test_explanation_knows_the_clocks_of_the_town_and_the_words_of_the_kind(
    connection: asyncpg.Connection, device: int
) -> None:
    await connection.execute("UPDATE municipality SET time_zone = 'Africa/Tripoli'")
    await put(connection, OVERFLOW)
    ingestion = await Ingestion(connection).start()
    await ingestion.commit(fills(device, (10, 90), (20, 91)))

    found = await at(connection, 25)

    local = to_datetime(START + 20 * MINUTE).astimezone(zone_named("Africa/Tripoli"))
    said = " ".join(sentences(found, "fr"))
    assert f"depuis {local:%Y-%m-%d %H:%M:%S}+02:00" in said
    assert "Remplissage" in said
