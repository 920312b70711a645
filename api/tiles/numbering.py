"""How PMTiles numbers tiles: zoom by zoom, along Hilbert curves, so that neighbours lie together. Pure."""

from __future__ import annotations

Tile = tuple[int, int, int]
"""Zoom, column and row; rows are counted from the north."""


def tile_number(zoom: int, x: int, y: int) -> int:
    """Return the number of a tile (spec v3, section 4.1)."""
    number: int = ((1 << 2 * zoom) - 1) // 3
    half = 2**zoom // 2
    while half:
        right, below = int(x & half > 0), int(y & half > 0)
        number += half * half * ((3 * right) ^ below)
        if not below:
            if right:
                x, y = half - 1 - x, half - 1 - y
            x, y = y, x
        half //= 2
    return number
