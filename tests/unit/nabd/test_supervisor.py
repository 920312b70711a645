"""Children are our own modules, whatever lies in the directory where somebody starts them."""

from __future__ import annotations

from pathlib import Path

import pytest

from nabd.supervisor import Child, Supervisor


async def test_files_of_the_directory_are_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("nabd.py", "api.py", "store.py"):
        (tmp_path / name).write_text("raise SystemExit('not ours')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    child = Child(name="version", arguments=["--version"], log=tmp_path / "log")

    async with Supervisor({}) as supervisor:
        await supervisor.start(child)
        assert child.process is not None
        await child.process.wait()

    assert child.log.read_text(encoding="utf-8").startswith("nabd ")
