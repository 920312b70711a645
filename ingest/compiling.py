"""The compiled code of ingest: found, or compiled beside it while it already works, and then put in.

Until then ingest does all of it exactly, only slower, and for good where nothing can be compiled or loaded;
it says so once. Must not know what the code is for. Must not delay anything: all of it happens in threads and
in a process of its own.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

import devices
from devices.compiled import machine_code
from devices.compiled.machine_code import Unusable
from devices.compiled.part import CompiledPart, Function

log = structlog.get_logger(__name__)

COMPILE_S = 600.0
"""A compilation takes ten seconds of a processor; one that takes so long will never end."""
_PACKAGES = Path(devices.__file__).parent.parent


class NotCompiled(Unusable):
    """There is no file of this version yet, or none that is whole; the text says where."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A part that somebody works with once there is one: `put` is given its functions."""

    part: CompiledPart
    put: Callable[[Mapping[str, Function]], None]


def found(part: CompiledPart, places: Sequence[Path]) -> tuple[Path, bytes]:
    """Return the first whole file of a part in this version, and the machine code in it.

    Raises:
        NotCompiled: there is none yet, or none that is whole.
        Unusable: numba is not installed.
    """
    name = machine_code.file_name(part)
    why = [f"no compiled {part.name} in {places[-1]}"]
    for place in places:
        try:
            return place / name, machine_code.code_in(place / name)
        except FileNotFoundError:
            pass
        except Unusable as error:
            why.append(str(error))
    raise NotCompiled(why[-1])


async def provide(wanted: Sequence[Wanted], places: Sequence[Path]) -> None:
    """Put compiled functions where they are wanted, those of all parts or none; log what came of it.

    Args:
        places: directories where their files may lie; into the last one is compiled what lies in none.
    """
    try:
        missing = await asyncio.to_thread(_missing, wanted, places)
        if missing:
            log.info(
                "compiling; until then ingest works without compiled code", reason="; ".join(missing.values())
            )
            await compile_into(places[-1], list(missing))
        linked = [await asyncio.to_thread(_linked, one.part, places) for one in wanted]
    except Unusable as error:
        log.warning("without compiled code, which is slower", reason=str(error))
        return
    except Exception:  # ingest must go on
        log.exception("without compiled code, which is slower")
        return
    for one, functions in zip(wanted, linked, strict=True):
        one.put(functions)
    log.info("with compiled code")


def _missing(wanted: Sequence[Wanted], places: Sequence[Path]) -> dict[str, str]:
    """Return packages that are to be compiled, and why."""
    missing = {}
    for one in wanted:
        try:
            found(one.part, places)
        except NotCompiled as error:
            missing[one.part.package] = str(error)
    return missing


def _linked(part: CompiledPart, places: Sequence[Path]) -> Mapping[str, Function]:
    return machine_code.linked(part, found(part, places)[1])


async def compile_into(into: Path, packages: Sequence[str]) -> None:
    """Compile packages in a process of its own.

    Raises:
        Unusable: it does not succeed.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-s", "-m", "devices.compiled.build", str(into), *packages),
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
