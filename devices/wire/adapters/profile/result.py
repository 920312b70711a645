"""What a profile made of one message: elements, and everything that did not become part of one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing said of a message. where: a path, or bytes of the payload; value: what stands there."""

    where: str
    value: object
    why: str

    def __str__(self) -> str:
        return f"{self.where} = {shown(self.value)}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one message.

    elements: as a gateway sends them (docs/protocol.md): `kind`, `device`, `ts` in microseconds, `seq` and
    `boot` where there is a counter, and measurements; None is not measured. problems: what was asked for and
    could not be converted. absent: what says of itself that it was not measured. find_unread: finds out what
    is `unread`, which few ask, and keeps the message until then.
    """

    elements: tuple[dict[str, object], ...]
    problems: tuple[Remark, ...] = ()
    absent: tuple[Remark, ...] = ()
    find_unread: Callable[[], Iterable[Remark]] = field(default=tuple, repr=False, compare=False)

    @property
    def unread(self) -> tuple[Remark, ...]:
        """What nothing in the profile asks for."""
        return tuple(self.find_unread())


class NoReading(ValueError):
    """Not one measurement results of a message; the text says what was found instead.

    result: without elements.
    """

    def __init__(self, reason: str, result: Result) -> None:
        super().__init__(reason)
        self.result = result


def shown(value: object) -> str:
    """Return a value as people read it, cut to what fits a line."""
    text = value.hex(" ") if isinstance(value, bytes) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def listed(told: Sequence[Remark], most: int = 8) -> str:
    """Return some of what is told, as one sentence part."""
    more = f" and {len(told) - most} more" if len(told) > most else ""
    return "; ".join(map(str, told[:most])) + more
