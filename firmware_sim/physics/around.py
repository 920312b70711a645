"""A device within something else: what is around it changes some of what it does. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from firmware_sim.physics.model import CommandAnswer, Physics, Truth, Value

Inner = TypeVar("Inner", bound=Physics)


class SurroundedDevice(Generic[Inner]):
    """Does everything as `inner` does; subclasses say where it differs."""

    def __init__(self, inner: Inner) -> None:
        self._inner = inner

    def step(self, now: int) -> bool:
        """Live until `now`; True when something is reported at once."""
        return self._inner.step(now)

    def measure(self) -> dict[str, Value]:
        """Return what its sensors say."""
        return self._inner.measure()

    def interval_s(self) -> float:
        """Return the seconds until the next regular report."""
        return self._inner.interval_s()

    def tick_s(self) -> float:
        """Return the longest step the model stays faithful with."""
        return self._inner.tick_s()

    def truth(self) -> Mapping[str, Truth]:
        """Return what is wrong with it."""
        return self._inner.truth()

    def ready(self, cause: str) -> bool:
        """Tell whether `cause` could start now."""
        return self._inner.ready(cause)

    def begin(self, cause: str) -> None:
        """Break something."""
        self._inner.begin(cause)

    def end(self, cause: str) -> None:
        """Repair it."""
        self._inner.end(cause)

    def command(self, name: str, args: Mapping[str, object]) -> CommandAnswer:
        """Obey, or answer REJECTED."""
        return self._inner.command(name, args)
