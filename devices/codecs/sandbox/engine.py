"""Runs a codec for one message, in a world of its own: nothing that a message leaves meets the next one.

The only module that knows the engine. Vendors write for platforms that begin anew with every message, so
their codecs keep values in globals; were the world to last, one device's values would reach another's reading.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Final

import quickjs

from devices.codecs.frames import Entry
from devices.codecs.limits import Limits

NAME: Final = f"quickjs-ng {version('quickjs-ng')}"
_HARNESS: Final = Path(__file__).with_name("harness.js").read_text("utf-8")
_BUFFER: Final = Path(__file__).with_name("buffer.js").read_text("utf-8")
_MEGABYTE: Final = 1024 * 1024


class Failed(Exception):
    """The codec failed; the text says how."""


class TooSlow(Failed):
    """The engine stopped it at the limit of time."""


def run(source: str, entry: Entry, argument: str, limits: Limits) -> str:
    """Return the JSON that the codec's function made of its argument.

    Raises:
        Failed: the codec threw, was stopped at a limit, or returned what nobody can use.
    """
    world = quickjs.Context()
    world.set_memory_limit(limits.memory_bytes)
    world.set_max_stack_size(limits.stack_bytes)
    harness: Callable[..., object] = world.eval(_HARNESS)
    if "Buffer" in source:
        world.eval(_BUFFER)
    world.set_time_limit(limits.cpu_ms / 1000)
    try:
        answer = harness(source, entry, argument, limits.output_bytes)
    except quickjs.StackOverflow as error:
        raise Failed(_stack(limits)) from error
    except quickjs.JSException as error:
        raise _stopped(str(error), limits) from error
    if not isinstance(answer, str) or len(answer) > 4 * limits.output_bytes or answer[:1] not in ("+", "-"):
        raise Failed("spoiled what the sandbox needs to answer")
    if answer.startswith("-"):
        raise Failed(_limited(answer[1:], limits))
    return answer[1:]


def _stopped(error: str, limits: Limits) -> Failed:
    """Name the limit at which the engine stopped the codec without letting it catch that."""
    if "interrupted" in error:
        return TooSlow(f"ran longer than {limits.cpu_ms} ms of processor time")
    return Failed(_limited(error.partition("\n")[0], limits))


def _limited(reason: str, limits: Limits) -> str:
    if "out of memory" in reason:
        return f"needs more than {limits.memory_bytes // _MEGABYTE} MiB of memory"
    if "Maximum call stack size exceeded" in reason or "stack overflow" in reason:
        return _stack(limits)
    return reason


def _stack(limits: Limits) -> str:
    return f"calls itself too deeply: more than {limits.stack_bytes // 1024} KiB of stack"
