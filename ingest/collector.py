"""What lives as long as the registry does, kept out of the garbage collector's way."""

from __future__ import annotations

import gc

OBJECTS = 10_000
"""So many new objects set the collector off: a batch makes few that only it could free."""


def freeze() -> None:
    """Exempt everything that is alive: looking through a registry takes the collector longer than a batch.

    What is exempt goes all the same once nothing refers to it, unless it refers to itself: so cycles that
    loading has left behind are collected first.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS)
