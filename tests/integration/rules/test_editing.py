"""Rules changed by people: versions, history, and what becomes of open alerts."""

from __future__ import annotations

import asyncpg
import pytest

from alerts.queue import list_alerts
from devices.registry.errors import Conflict, NotFound
from rules.catalogue import catalogue, editing, versions
from rules.loading.diff import differences
from rules.loading.files import default_packs, parse
from tests.actors import actor
from tests.integration.rules.ingestion import KINDS, Ingestion
from tests.integration.rules.test_live import OVERFLOW, START, fills, rule, told
from tests.integration.rules.town import MINUTE, add_device

STRICTER = rule("overflow", "fill_pct >= 95")


@pytest.fixture
async def device(connection: asyncpg.Connection) -> int:
    return await add_device(connection, "B-1")


async def apply(connection: asyncpg.Connection, text: str, author: str = "Rima", minute: int = 0) -> None:
    await editing.apply(
        connection, parse(text, KINDS), by=await actor(connection, author), now=START + minute * MINUTE
    )


async def firing(connection: asyncpg.Connection, device: int) -> Ingestion:
    await apply(connection, OVERFLOW)
    ingestion = await Ingestion(connection).start()
    await ingestion.commit(fills(device, (0, 90), (10, 91)))
    return ingestion


async def test_edited_rule_keeps_its_open_alert_and_ends_it_by_the_new_condition(
    connection: asyncpg.Connection, device: int
) -> None:
    ingestion = await firing(connection, device)

    await apply(connection, STRICTER, minute=15)
    await ingestion.rules.reload(connection)
    await ingestion.commit(fills(device, (20, 96)))
    assert [a.state for a in await list_alerts(connection)] == ["firing"]
    await ingestion.commit(fills(device, (30, 90), (40, 90)))

    assert await told(connection) == [("overflow", "opened"), ("overflow", "resolved")]


async def test_history_says_who_changed_what(connection: asyncpg.Connection) -> None:
    await apply(connection, OVERFLOW, "Rima")
    await apply(connection, OVERFLOW, "nobody changes anything", minute=1)
    await apply(connection, STRICTER, "Sami", minute=2)
    await catalogue.mark_broken(connection, "overflow", 2, START + 3 * MINUTE, "ZeroDivisionError")
    await editing.disable(connection, "overflow", by=await actor(connection, "Rima"), now=START + 4 * MINUTE)
    await editing.enable(
        connection, KINDS, "overflow", by=await actor(connection, "Sami"), now=START + 5 * MINUTE
    )

    changes = await versions.history(connection, "overflow")

    assert [(c.version, c.action, c.author) for c in changes] == [
        (1, "applied", "Rima"),
        (2, "applied", "Sami"),
        (2, "broken", ""),
        (2, "disabled", "Rima"),
        (3, "enabled", "Sami"),
    ]


async def test_rule_that_came_with_the_database_has_a_history_without_an_author(
    connection: asyncpg.Connection,
) -> None:
    await catalogue.apply(connection, parse(OVERFLOW, KINDS), START)

    (change,) = await versions.history(connection, "overflow")

    assert (change.version, change.action, change.author) == (1, "applied", "")


async def test_disabled_rule_ends_its_open_alerts_and_opens_none(
    connection: asyncpg.Connection, device: int
) -> None:
    ingestion = await firing(connection, device)

    ended = await editing.disable(
        connection, "overflow", by=await actor(connection, "Rima"), now=START + 15 * MINUTE
    )
    await ingestion.rules.reload(connection)
    await ingestion.commit(fills(device, (20, 99), (30, 99)))

    assert ended == 1
    assert await told(connection) == [("overflow", "opened"), ("overflow", "resolved")]
    assert await editing.disable(connection, "overflow", by=await actor(connection, "Rima"), now=START) == 0


async def test_enabled_rule_judges_only_what_comes_after(connection: asyncpg.Connection, device: int) -> None:
    ingestion = await firing(connection, device)
    await editing.disable(connection, "overflow", by=await actor(connection, "Rima"), now=START + 15 * MINUTE)
    await ingestion.rules.reload(connection)
    await ingestion.commit(fills(device, (20, 99), (30, 99)))

    version = await editing.enable(
        connection, KINDS, "overflow", by=await actor(connection, "Rima"), now=START + 35 * MINUTE
    )
    await ingestion.rules.reload(connection)
    await ingestion.commit(fills(device, (40, 99)))
    assert len(await told(connection)) == 2
    await ingestion.commit(fills(device, (50, 99)))

    assert version == 2
    assert [kind for _, kind in await told(connection)] == ["opened", "resolved", "opened"]


async def test_rules_that_are_removed_with_only_end_their_alerts(
    connection: asyncpg.Connection, device: int
) -> None:
    await firing(connection, device)

    applied = await editing.apply(
        connection,
        parse(rule("other", "fill_pct >= 85"), KINDS),
        by=await actor(connection, "Rima"),
        now=START + 15 * MINUTE,
        remove_others=True,
    )

    assert applied.removed == ("overflow",)
    assert [a.state for a in await list_alerts(connection)] == ["resolved"]


async def test_edit_is_refused_when_somebody_was_faster(connection: asyncpg.Connection) -> None:
    (first,) = parse(OVERFLOW, KINDS)
    (second,) = parse(STRICTER, KINDS)
    await editing.put(connection, first, by=await actor(connection, "Rima"), now=START, version=0)

    with pytest.raises(Conflict):
        await editing.put(connection, second, by=await actor(connection, "Sami"), now=START, version=0)
    await editing.put(connection, second, by=await actor(connection, "Sami"), now=START, version=1)

    assert (await versions.get_rule(connection, "overflow")).author == "Sami"


async def test_unknown_rule_is_not_found(connection: asyncpg.Connection) -> None:
    for call in (
        versions.get_rule(connection, "nothing"),
        versions.history(connection, "nothing"),
        editing.disable(connection, "nothing", by=await actor(connection, "Rima"), now=START),
        editing.enable(connection, KINDS, "nothing", by=await actor(connection, "Rima"), now=START),
    ):
        with pytest.raises(NotFound):
            await call


async def test_default_rules_are_all_usable_and_unchanged_when_read_back(
    connection: asyncpg.Connection,
) -> None:
    packs = default_packs(KINDS)
    await editing.apply(connection, packs, by=await actor(connection, "Rima"), now=START)

    active = await catalogue.active(connection, KINDS)
    again = differences(await versions.sources(connection), packs)

    assert active.unusable == {}
    assert len(active.rules) == len(packs)
    assert {d.text for d in again} == {""}
