"""The compiled decoder of ingest: found, or compiled beside it while it already works, and then put in.

Until then ingest decodes exactly, only slower, and for good where nothing can be compiled or loaded; it says
so once. Must not delay anything: all of it happens in threads and in a process of its own.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import structlog

import devices
from devices.wire.compiled import machine_code
from devices.wire.compiled.machine_code import Unusable
from devices.wire.compiled.scan import Kernel, Scan
from nabd.settings import Settings

log = structlog.get_logger(__name__)

BUILT = Path(sys.prefix) / "share" / "nabd"
"""What was compiled as Nabd was installed: only read."""
COMPILE_S = 600.0
"""A compilation takes five seconds of a processor; one that takes so long will never end."""
_PACKAGES = Path(devices.__file__).parent.parent


class NotCompiled(Unusable):
    """There is no file of this version yet, or none that is whole; the text says where."""


def directories(settings: Settings) -> tuple[Path, Path]:
    """Return where compiled code is looked for; into the last one ingest compiles."""
    return BUILT, settings.data_dir.absolute() / "compiled"


def found(places: Sequence[Path]) -> tuple[Path, Scan]:
    """Return the first file of this version that can be loaded, and its scan.

    Raises:
        NotCompiled: there is none yet, or none that is whole.
        Unusable: numba is not installed.
    """
    name = machine_code.file_name()
    why = [f"no compiled code in {places[-1]}"]
    for place in places:
        try:
            return place / name, machine_code.load(place / name)
        except FileNotFoundError:
            pass
        except Unusable as error:
            why.append(str(error))
    raise NotCompiled(why[-1])


async def provide(kernel: Kernel, places: Sequence[Path]) -> None:
    """Put the compiled scan into `kernel`, compiling it into the last of the places if need be."""
    try:
        try:
            file, scan = await asyncio.to_thread(found, places)
        except NotCompiled as error:
            log.info("compiling the decoder; until then messages are decoded without it", reason=str(error))
            await _compile(places[-1])
            file, scan = await asyncio.to_thread(found, places[-1:])
    except Unusable as error:
        log.warning("decoding without compiled code, which is slower", reason=str(error))
        return
    except Exception:  # ingest must go on
        log.exception("decoding without compiled code, which is slower")
        return
    kernel.scan = scan
    log.info("decoding with compiled code", file=str(file))


async def _compile(into: Path) -> None:
    """Compile in a process of its own.

    Raises:
        Unusable: it does not succeed.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-s", "-m", "devices.wire.compiled.build", str(into)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env={"PYTHONPATH": ":".join(path for path in sys.path if path)},  # settings and secrets stay here
            cwd=_PACKAGES,
        )
    except OSError as error:
        raise Unusable(f"no process can be started: {error.strerror}") from error
    try:
        async with asyncio.timeout(COMPILE_S):
            _, said = await process.communicate()
    except TimeoutError as error:
        raise Unusable(f"compiling takes longer than {COMPILE_S:.0f} s") from error
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        last = said.decode(errors="replace").strip().rsplit("\n", 1)[-1]
        raise Unusable(f"compiling failed: {last or f'exit status {process.returncode}'}")
