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
from devices.wire.compiled.scan import Kernel

log = structlog.get_logger(__name__)

COMPILE_S = 600.0
"""A compilation takes five seconds of a processor; one that takes so long will never end."""
_PACKAGES = Path(devices.__file__).parent.parent


class NotCompiled(Unusable):
    """There is no file of this version yet, or none that is whole; the text says where."""


def found(places: Sequence[Path]) -> tuple[Path, bytes]:
    """Return the first whole file of this version, and the machine code in it.

    Raises:
        NotCompiled: there is none yet, or none that is whole.
        Unusable: numba is not installed.
    """
    name = machine_code.file_name()
    why = [f"no compiled code in {places[-1]}"]
    for place in places:
        try:
            return place / name, machine_code.code_in(place / name)
        except FileNotFoundError:
            pass
        except Unusable as error:
            why.append(str(error))
    raise NotCompiled(why[-1])


async def provide(kernel: Kernel, places: Sequence[Path]) -> None:
    """Put the compiled scan into `kernel`; log what came of it.

    Args:
        places: directories where it may lie; into the last one it is compiled where it lies in none.
    """
    try:
        try:
            file, code = await asyncio.to_thread(found, places)
        except NotCompiled as error:
            log.info("compiling the decoder; until then messages are decoded without it", reason=str(error))
            await _compile(places[-1])
            file, code = await asyncio.to_thread(found, places[-1:])
        kernel.scan = await asyncio.to_thread(machine_code.linked, code)
    except Unusable as error:
        log.warning("decoding without compiled code, which is slower", reason=str(error))
        return
    except Exception:  # ingest must go on
        log.exception("decoding without compiled code, which is slower")
        return
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
