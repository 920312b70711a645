"""Compiled code is found or made beside ingest; where it cannot be, ingest goes on and says why."""

from __future__ import annotations

import asyncio
import shutil
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from structlog.testing import capture_logs

from devices import kinds
from devices.compiled import machine_code
from devices.compiled.part import Functions
from devices.wire import Decoder, Kernel
from devices.wire.compiled.part import PART as DECODER
from ingest import compiling
from ingest.compiling import NotCompiled, Wanted
from nabd import settings as settings_module
from nabd.doctor import Verdict
from nabd.doctor.installation import PARTS, check_compiled_code
from nabd.settings import Settings, compiled_directories
from rules.context.compiled.part import PART as RULES
from tests.compiled import compiled_file
from tests.waiting import eventually

PAYLOADS = [b'{"ts":1790000000000,"fill_pct":40.5}'] * 100


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where an installation keeps what it compiled: nothing yet."""
    monkeypatch.setattr(settings_module, "BUILT", tmp_path / "built")
    return tmp_path / "built"


def settings_of(data_dir: Path, **said: Any) -> Settings:
    return Settings(_env_file=None, data_dir=data_dir, **said)  # type: ignore[call-arg]  # pydantic-settings' own


async def provided(settings: Settings) -> tuple[Kernel, list[str]]:
    """Provide kernel and functions; return the kernel and what was logged."""
    kernel, functions = Kernel(), Functions()
    decoder = Decoder(kinds.load()["bin"], kernel)
    with capture_logs() as logs:
        wanted = [Wanted(DECODER, kernel.take), Wanted(RULES, functions.update)]
        providing = asyncio.create_task(compiling.provide(wanted, compiled_directories(settings)))
        assert len(decoder.decode(PAYLOADS)[0]) == 100  # whatever becomes of it
        await providing
    assert set(functions) == (set(RULES.functions) if kernel.scan else set())
    assert len(decoder.decode(PAYLOADS)[0]) == 100
    return kernel, [f"{line['event']}: {line.get('reason', '')}" for line in logs]


def both_files(into: Path) -> Path:
    """Return a directory that has the files of all parts."""
    into.mkdir()
    for part in PARTS:
        shutil.copy(compiled_file(part), into)
    return into


async def test_what_was_built_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_module, "BUILT", both_files(tmp_path / "built"))
    settings, own = settings_of(tmp_path), tmp_path / "compiled"

    kernel, said = await provided(settings)

    assert kernel.scan is not None
    assert said == ["with compiled code: "]
    assert not own.exists()
    assert check_compiled_code(settings).verdict is Verdict.FINE


async def test_what_was_not_built_is_compiled_beside_ingest_and_found_the_next_time(
    tmp_path: Path, built: Path
) -> None:
    settings = settings_of(tmp_path)
    found = check_compiled_code(settings)
    assert (found.verdict, found.said) == (Verdict.NOTE, f"no compiled decoder in {tmp_path}/compiled")

    kernel, said = await provided(settings)
    again, then = await provided(settings)

    assert kernel.scan is not None
    assert again.scan is not None
    assert [line.split(":")[0] for line in said] == [
        "compiling; until then ingest works without compiled code",
        "with compiled code",
    ]
    assert then == ["with compiled code: "]
    files = {file.name for file in (tmp_path / "compiled").iterdir()}
    assert files == {machine_code.file_name(part) for part in PARTS}


async def test_a_place_that_cannot_be_written_is_said_once(tmp_path: Path, built: Path) -> None:
    (tmp_path / "file").touch()

    kernel, said = await provided(settings_of(tmp_path / "file"))

    assert kernel.scan is None
    why = f"compiling failed: {tmp_path}/file/compiled: Not a directory"
    assert said[-1] == f"without compiled code, which is slower: {why}"
    assert len(said) == 2


async def test_without_numba_ingest_decodes_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_module, "BUILT", both_files(tmp_path / "built"))
    monkeypatch.setattr(machine_code, "compiler", lambda: None)

    kernel, said = await provided(settings_of(tmp_path))

    assert kernel.scan is None
    why = "numba is not installed: the extra nabd[fast]"
    assert said == [f"without compiled code, which is slower: {why}"]
    found = check_compiled_code(settings_of(tmp_path))
    assert (found.verdict, found.said) == (Verdict.NOTE, f"without compiled code, which is slower: {why}")


def test_doctor_says_where_it_is_not_wanted(tmp_path: Path) -> None:
    found = check_compiled_code(settings_of(tmp_path, compiled_code=False))

    assert (found.verdict, found.said) == (Verdict.NOTE, "without compiled code: NABD_COMPILED_CODE")


async def test_a_file_that_is_not_whole_is_never_run_and_compiled_anew(
    tmp_path: Path, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = both_files(tmp_path / "compiled")
    cut = own / machine_code.file_name(RULES)
    whole = cut.read_bytes()
    cut.write_bytes(whole[:-1])

    async def compile_again(into: Path, packages: Sequence[str]) -> None:
        assert list(packages) == [RULES.package]
        (into / cut.name).write_bytes(whole)

    monkeypatch.setattr(compiling, "compile_into", compile_again)
    with pytest.raises(NotCompiled, match="is not whole"):
        compiling.found(RULES, [own])

    kernel, _ = await provided(settings_of(tmp_path))

    assert kernel.scan is not None


def test_a_file_of_another_python_or_of_another_way_to_call_it_is_another_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = machine_code.file_name(RULES)

    with monkeypatch.context() as patch:
        patch.setattr(sysconfig, "get_config_var", {"SOABI": "cpython-399-x86_64-linux-gnu"}.get)
        assert machine_code.file_name(RULES) != before

    read = Path.read_bytes
    with monkeypatch.context() as patch:
        changed = Path(machine_code.__file__)
        patch.setattr(Path, "read_bytes", lambda file: read(file) + b" " * (file == changed))
        assert machine_code.file_name(RULES) != before
    assert machine_code.file_name(RULES) == before


async def test_compiling_ends_with_ingest(tmp_path: Path, built: Path) -> None:
    own = tmp_path / "compiled"
    wanted = [Wanted(DECODER, Kernel().take)]
    providing = asyncio.create_task(compiling.provide(wanted, compiled_directories(settings_of(tmp_path))))
    await eventually(lambda: asyncio.to_thread(own.exists))  # the compiler has begun
    providing.cancel()

    with pytest.raises(asyncio.CancelledError):
        await providing
    running = [" ".join(child.cmdline()) for child in psutil.Process().children()]
    assert not any("devices.compiled.build" in command for command in running)
    assert list(own.iterdir()) == []
