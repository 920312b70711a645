"""Runs codecs, each in a world of its own. The only module that knows the engine.

Vendors write for platforms that begin anew with every message, so their codecs keep values in globals; in a
lasting world one device's values would be read as another's. But to make a world and compile a codec takes
up to a hundred times as long as to decode a message. So a world lasts, with its built-in objects frozen and
the codec's own variables made anew (`harness.js`). What fails there is tried in a world of its own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import quickjs

from devices.codecs.frames import Entry
from devices.codecs.limits import Limits

NAME: Final = f"quickjs-ng {version('quickjs-ng')}"
WORLDS: Final = 16
"""So many codecs stay compiled; a city has a dozen models."""
USES: Final = 1000
"""After so many messages a world is made anew: what a codec hides in built-in objects does not grow."""

OUTCOMES: Final = ("+", "*", "-", "!", "?")

_HARNESS: Final = Path(__file__).with_name("harness.js").read_text("utf-8")
_BUFFER: Final = Path(__file__).with_name("buffer.js").read_text("utf-8")
_MEGABYTE: Final = 1024 * 1024


class CodecFault(Exception):
    """The codec failed; the text says how."""


class CodecOverTime(CodecFault):
    """The engine stopped it at the limit of time."""


@dataclass(slots=True)
class _World:
    context: quickjs.Context
    call: Callable[..., object]
    uses: int = 0


class CodecWorlds:
    """The codecs that this process has compiled, the least recently used of them forgotten."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._worlds: OrderedDict[str, _World] = OrderedDict()
        self._extending: OrderedDict[str, None] = OrderedDict()

    def run(self, digest: str, source: str, entry: Entry, argument: str) -> str:
        """Return the JSON that the codec's function made of its argument.

        Raises:
            CodecFault: the codec threw, was stopped at a limit, or returned what nobody can use.
        """
        outcome = ""
        if digest not in self._extending:
            outcome, text = self._in_lasting_world(digest, source, entry, argument)
            if outcome in "+*":
                return text
            if outcome == "-":
                raise CodecFault(text)
        alone, text = self._called(self._compiled(source, lasting=False), entry, argument)
        if alone != "*":
            raise self._failed(text)
        if outcome == "!":
            self._extending[digest] = None  # it needs built-in objects that are not frozen
            _forget(self._extending)
        return text

    def _in_lasting_world(self, digest: str, source: str, entry: Entry, argument: str) -> tuple[str, str]:
        world = self._worlds.pop(digest, None)
        try:
            if world is None or world.uses >= USES:
                world = self._compiled(source, lasting=True)
            outcome, text = self._called(world, entry, argument)
        except CodecOverTime:
            raise
        except CodecFault:
            self._worlds.clear()  # its memory may have been short because of others
            return "?", ""
        if outcome in "+-!":
            self._worlds[digest] = world
            _forget(self._worlds)
        return outcome, text

    def _called(self, world: _World, entry: Entry, argument: str) -> tuple[str, str]:
        """Return the letter that the harness puts before its text, and the text."""
        world.uses += 1
        answer = self._guarded(world.call, entry, argument, self._limits.output_bytes)
        if not isinstance(answer, str) or answer[:1] not in OUTCOMES:
            raise CodecFault("spoiled what the sandbox needs to answer")
        return answer[0], answer[1:]

    def _compiled(self, source: str, *, lasting: bool) -> _World:
        context = quickjs.Context()
        context.set_memory_limit(self._limits.memory_bytes)
        context.set_max_stack_size(self._limits.stack_bytes)
        if "Buffer" in source:
            context.eval(_BUFFER)
        load = context.eval(_HARNESS)
        context.set_time_limit(self._limits.cpu_ms / 1000)
        call = self._guarded(load, source, lasting)
        if isinstance(call, str):
            raise self._failed(call[1:])
        return _World(context, call)

    def _guarded(self, function: Callable[..., object], *arguments: object) -> Any:
        try:
            return function(*arguments)
        except quickjs.StackOverflow as error:
            raise self._failed("stack overflow") from error
        except quickjs.JSException as error:
            raise self._failed(str(error).partition("\n")[0]) from error
        except ValueError as error:  # of the wrapper: a text that is no Unicode
            raise CodecFault(f"confuses the engine: {error}") from error

    def _failed(self, reason: str) -> CodecFault:
        """Name the limit, where the engine says in its own words that one was reached."""
        limits = self._limits
        if "InternalError: interrupted" in reason:
            return CodecOverTime(f"ran longer than {limits.cpu_ms} ms of processor time")
        memory = f"{limits.memory_bytes // _MEGABYTE} MiB of memory"
        if "out of memory" in reason:
            return CodecFault(f"needs more than {memory}")
        if reason == "threw null":  # all that the engine has left to throw where not even an error fits
            return CodecFault(f"threw null; or needs more than {memory}")
        if "Maximum call stack size exceeded" in reason or "stack overflow" in reason:
            return CodecFault(f"calls itself too deeply: more than {limits.stack_bytes // 1024} KiB of stack")
        return CodecFault(reason)


def _forget(known: OrderedDict[str, Any]) -> None:
    if len(known) > WORLDS:
        known.popitem(last=False)
