"""The compiled decoder is found or made beside ingest; where it cannot be, ingest goes on and says why."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import psutil
import pytest
from structlog.testing import capture_logs

from devices import kinds
from devices.wire import Decoder, Kernel
from devices.wire.compiled import machine_code
from ingest import compiling
from ingest.compiling import NotCompiled
from nabd import settings as settings_module
from nabd.doctor import Verdict
from nabd.doctor.installation import check_decoder
from nabd.settings import Settings, compiled_directories
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
    """Provide a kernel; return it and what was logged."""
    kernel = Kernel()
    decoder = Decoder(kinds.load()["bin"], kernel)
    with capture_logs() as logs:
        providing = asyncio.create_task(compiling.provide(kernel, compiled_directories(settings)))
        assert len(decoder.decode(PAYLOADS)[0]) == 100  # whatever becomes of it
        await providing
    assert len(decoder.decode(PAYLOADS)[0]) == 100
    return kernel, [f"{line['event']}: {line.get('reason', '')}" for line in logs]


async def test_what_was_built_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_module, "BUILT", compiled_file().parent)
    settings, own = settings_of(tmp_path), tmp_path / "compiled"

    kernel, said = await provided(settings)

    assert kernel.scan is not None
    assert said == ["decoding with compiled code: "]
    assert not own.exists()
    assert check_decoder(settings).verdict is Verdict.FINE


async def test_what_was_not_built_is_compiled_beside_ingest_and_found_the_next_time(
    tmp_path: Path, built: Path
) -> None:
    settings = settings_of(tmp_path)
    found = check_decoder(settings)
    assert (found.verdict, found.said) == (Verdict.NOTE, f"no compiled code in {tmp_path}/compiled")

    kernel, said = await provided(settings)
    again, then = await provided(settings)

    assert kernel.scan is not None
    assert again.scan is not None
    assert [line.split(":")[0] for line in said] == [
        "compiling the decoder; until then messages are decoded without it",
        "decoding with compiled code",
    ]
    assert then == ["decoding with compiled code: "]
    assert [file.name for file in (tmp_path / "compiled").iterdir()] == [machine_code.file_name()]


async def test_a_place_that_cannot_be_written_is_said_once(tmp_path: Path, built: Path) -> None:
    (tmp_path / "file").touch()

    kernel, said = await provided(settings_of(tmp_path / "file"))

    assert kernel.scan is None
    why = f"compiling failed: {tmp_path}/file/compiled: Not a directory"
    assert said[-1] == f"decoding without compiled code, which is slower: {why}"
    assert len(said) == 2


async def test_without_numba_ingest_decodes_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_module, "BUILT", compiled_file().parent)
    monkeypatch.setattr(machine_code, "compiler", lambda: None)

    kernel, said = await provided(settings_of(tmp_path))

    assert kernel.scan is None
    why = "numba is not installed: the extra nabd[fast]"
    assert said == [f"decoding without compiled code, which is slower: {why}"]
    found = check_decoder(settings_of(tmp_path))
    assert (found.verdict, found.said) == (Verdict.NOTE, f"without compiled code, which is slower: {why}")


def test_doctor_says_where_it_is_not_wanted(tmp_path: Path) -> None:
    found = check_decoder(settings_of(tmp_path, compiled_decoder=False))

    assert (found.verdict, found.said) == (Verdict.NOTE, "without compiled code: NABD_COMPILED_DECODER")


async def test_a_file_that_is_not_whole_is_never_run_and_compiled_anew(
    tmp_path: Path, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, own = compiled_file().read_bytes(), tmp_path / "compiled"
    own.mkdir()
    (own / machine_code.file_name()).write_bytes(whole[:-1])

    async def compile_again(into: Path) -> None:
        (into / machine_code.file_name()).write_bytes(whole)

    monkeypatch.setattr(compiling, "_compile", compile_again)
    with pytest.raises(NotCompiled, match="is not whole"):
        compiling.found([own])

    kernel, _ = await provided(settings_of(tmp_path))

    assert kernel.scan is not None


async def test_compiling_ends_with_ingest(tmp_path: Path, built: Path) -> None:
    own = tmp_path / "compiled"
    providing = asyncio.create_task(compiling.provide(Kernel(), compiled_directories(settings_of(tmp_path))))
    await eventually(lambda: asyncio.to_thread(own.exists))  # the compiler has begun
    providing.cancel()

    with pytest.raises(asyncio.CancelledError):
        await providing
    running = [" ".join(child.cmdline()) for child in psutil.Process().children()]
    assert not any("devices.wire.compiled.build" in command for command in running)
    assert list(own.iterdir()) == []
