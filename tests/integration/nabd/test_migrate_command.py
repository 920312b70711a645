"""What `nabd migrate` and `nabd up` bring to a new database."""

from __future__ import annotations

from pathlib import Path

import pytest

from nabd.embedded.parts import migrated
from nabd.settings import Settings
from rules.definition.errors import RulesRefused
from store.pool import connect

RULE = """
- id: bin-warm
  kind: bin
  summary: {en: "{device} is warm", fr: "{device} est chaud", ar: "{device} دافئة"}
  levels: {warning: LIMIT}
"""


def settings(dsn: str, rules_dir: Path | None = None) -> Settings:
    return Settings(
        _env_file=None,  # type: ignore[call-arg]  # pydantic-settings' own argument, unknown to its types
        database=dsn,
        rules_dir=rules_dir,
    )


async def rules(dsn: str) -> set[str]:
    connection = await connect(dsn)
    try:
        return {row["id"] for row in await connection.fetch("SELECT id FROM rule WHERE active")}
    finally:
        await connection.close()


async def applied_by_the_platform(dsn: str) -> set[str]:
    connection = await connect(dsn)
    try:
        statement = "SELECT subject FROM audit WHERE action = 'rule.apply' AND principal_id = 0"
        return {row["subject"] for row in await connection.fetch(statement)}
    finally:
        await connection.close()


async def test_a_new_database_gets_the_default_rules_once(empty_dsn: str) -> None:
    await migrated(settings(empty_dsn))
    first = await rules(empty_dsn)
    await migrated(settings(empty_dsn))

    assert {"bin-overflow", "light-lamp-failure", "drone-geofence", "silent"} <= first
    assert await rules(empty_dsn) == first


async def test_the_operators_rules_are_put_into_force_beside_the_defaults(
    empty_dsn: str, tmp_path: Path
) -> None:
    (tmp_path / "own.yaml").write_text(RULE.replace("LIMIT", "temperature_c > 40"), encoding="utf-8")

    await migrated(settings(empty_dsn, tmp_path))

    assert {"bin-warm", "bin-overflow"} <= await rules(empty_dsn)
    assert await applied_by_the_platform(empty_dsn) == await rules(empty_dsn)


async def test_a_rule_file_with_a_mistake_is_refused_and_the_running_rules_stay(
    empty_dsn: str, tmp_path: Path
) -> None:
    await migrated(settings(empty_dsn))
    before = await rules(empty_dsn)
    (tmp_path / "own.yaml").write_text(RULE.replace("LIMIT", "temperatur_c > 40"), encoding="utf-8")

    with pytest.raises(RulesRefused, match=r"own\.yaml:5:\d+: .*did you mean temperature_c"):
        await migrated(settings(empty_dsn, tmp_path))

    assert await rules(empty_dsn) == before
