"""Which municipalities one ingest listens to: everything while it is alone, else its own, by name.

Pure. Filters of two shards never overlap, so that no message goes to both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from devices.registry.registry import Municipality
from devices.wire.topics import EVERYWHERE

MAIN = "main"
"""The shard that owns whatever no other does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """The municipality levels of filters to hold, and of those to drop that an earlier division has left."""

    hears: tuple[str, ...] = (EVERYWHERE,)
    drops: tuple[str, ...] = ()


def hearing_of(shard: str, municipalities: Iterable[Municipality]) -> Hearing:
    """Return what a shard hears; alone it hears names too that nobody knows, and so refuses them.

    While nobody owns anything that is `main` alone, or two would judge the same messages.
    """
    named = sorted(municipalities, key=lambda m: m.name)
    own = tuple(m.name for m in named if m.shard == shard)
    others = tuple(m.name for m in named if m.shard != shard)
    if not others and (own or shard == MAIN):
        return Hearing(hears=(EVERYWHERE,), drops=own)
    return Hearing(hears=own, drops=(EVERYWHERE, *others))
