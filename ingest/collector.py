"""Exempts what lives as long as the registry from Python's garbage collector."""

from __future__ import annotations

import gc

OBJECTS = 10_000
"""New objects after which the collector runs: a batch makes few that only the collector could free."""


def freeze() -> None:
    """Exempt everything that is alive: scanning a registry takes the collector longer than a batch takes.

    What is exempt is still freed once nothing refers to it, cycles excepted: so those that loading has left
    are collected first.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS)
