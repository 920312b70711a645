"""The process: one call after the other from standard input, each answered on standard output.

Ends by itself when its parent is gone. Nothing is left open, and nothing is read, but the two pipes.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import OrderedDict
from typing import Final

import msgspec

from devices.codecs.frames import LENGTH_BYTES, CodecAnswer, CodecCall, SandboxReady, framed, length_of
from devices.codecs.limits import Limits
from devices.codecs.sandbox.confinement import confine
from devices.codecs.sandbox.engine import NAME, WORLDS, CodecFault, CodecOverTime, CodecWorlds

REMEMBERED: Final = 64
"""So many codecs' sources are kept; a city has a few dozen models."""

SPARE_BYTES: Final = 64 * 1024 * 1024
"""Beside the engine's heaps: copies of source, argument and answer, and what Python itself takes."""


def main() -> None:
    """Serve until the pipe is closed."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C in a terminal is for the parent, who closes the pipe
    limits = msgspec.json.decode(sys.argv[1], type=Limits)
    confined = confine(WORLDS * limits.memory_bytes + SPARE_BYTES)
    _write(SandboxReady(engine=NAME, confined=confined))
    calls = msgspec.msgpack.Decoder(CodecCall)
    sources: OrderedDict[str, str] = OrderedDict()
    worlds = CodecWorlds(limits)
    while head := _read(LENGTH_BYTES):
        _write(_answer(calls.decode(_read(length_of(head))), sources, worlds, limits))


def _answer(
    call: CodecCall, sources: OrderedDict[str, str], worlds: CodecWorlds, limits: Limits
) -> CodecAnswer:
    if call.source is not None:
        sources[call.digest] = call.source
        if len(sources) > REMEMBERED:
            sources.popitem(last=False)
    if call.digest not in sources:
        return CodecAnswer("unknown", "")
    sources.move_to_end(call.digest)
    # The engine's own clock does not look into built-in functions; the kernel's does, and ends us.
    signal.setitimer(signal.ITIMER_PROF, limits.killed_after_s)
    try:
        return CodecAnswer(
            "returned", worlds.run(call.digest, sources[call.digest], call.entry, call.argument)
        )
    except CodecOverTime as late:
        return CodecAnswer("late", _sayable(late))
    except CodecFault as failed:
        return CodecAnswer("failed", _sayable(failed))
    except MemoryError:
        return CodecAnswer("failed", "needs more memory than the whole process may have")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _sayable(error: CodecFault) -> str:
    """Return the text without halves of characters, which codecs can throw and no frame can hold."""
    return str(error).encode("utf-8", "replace").decode()


def _read(wanted: int) -> bytes:
    """Return so many bytes, or none at the end of the pipe."""
    parts = []
    while wanted:
        part = os.read(0, wanted)
        if not part:
            return b""
        parts.append(part)
        wanted -= len(part)
    return b"".join(parts)


def _write(message: CodecAnswer | SandboxReady) -> None:
    left = memoryview(framed(message))
    while left:
        left = left[os.write(1, left) :]


if __name__ == "__main__":
    main()
