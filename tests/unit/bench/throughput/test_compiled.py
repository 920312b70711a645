"""What is measured has compiled code from its start on, or says that it had none."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.throughput import ladder
from devices.compiled.machine_code import Unusable
from devices.wire.compiled.part import PART as DECODER
from ingest import compiling
from nabd import settings as settings_module
from nabd.settings import Settings
from rules.context.compiled.part import PART as RULES
from tests.compiled import compiled_file


@pytest.fixture(autouse=True)
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that has compiled nothing yet."""
    monkeypatch.setattr(settings_module, "BUILT", tmp_path / "built")


def settings_of(data_dir: Path, **said: Any) -> Settings:
    return Settings(_env_file=None, data_dir=data_dir, **said)  # type: ignore[call-arg]  # pydantic-settings' own


async def test_what_is_not_compiled_yet_is_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str] = []

    async def compile_into(into: Path, packages: Sequence[str]) -> None:
        into.mkdir()  # noqa: ASYNC240 - nothing else runs here
        for part in (DECODER, RULES):
            shutil.copy(compiled_file(part), into)
        compiled.extend(packages)

    monkeypatch.setattr(compiling, "compile_into", compile_into)

    for _ in range(2):
        kernel, functions = await ladder._compiled(settings_of(tmp_path))
        assert kernel is not None
        assert kernel.scan is not None
        assert set(functions) == set(RULES.functions)
    assert compiled == [DECODER.package, RULES.package]  # once


async def test_without_compiled_code_there_is_nothing_to_measure_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def compile_into(into: Path, packages: Sequence[str]) -> None:
        raise Unusable("no compiler")

    monkeypatch.setattr(compiling, "compile_into", compile_into)

    assert await ladder._compiled(settings_of(tmp_path)) == (None, {})
    assert await ladder._compiled(settings_of(tmp_path, compiled_code=False)) == (None, {})
