"""Vector tiles as one file: PMTiles 3 (github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md). Pure.

As much of it as a few hundred tiles need: one directory, everything compressed with gzip.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Mapping

from api.tiles.numbering import Tile, tile_number
from nabd.demo.tiles.vector_tile import varint

HEADER = struct.Struct("<7sB11Q6B4iB2i")
_GZIP, _VECTOR = 2, 1
METADATA = b'{"attribution": "", "vector_layers": []}'
Box = tuple[float, float, float, float]
"""West, south, east and north, in degrees."""


def write(tiles: Mapping[Tile, bytes], bounds: Box) -> bytes:
    """Return the file; a tile is asked for by zoom, column and row."""
    found = sorted((tile_number(*tile), gzip.compress(body, mtime=0)) for tile, body in tiles.items())
    directory = gzip.compress(_directory([(number, len(body)) for number, body in found]), mtime=0)
    metadata = gzip.compress(METADATA, mtime=0)
    after = HEADER.size + len(directory)
    content = after + len(metadata)
    long = sum(len(body) for _, body in found)
    zooms = [zoom for zoom, _, _ in tiles]
    west, south, east, north = (round(degrees * 1e7) for degrees in bounds)
    header = HEADER.pack(
        b"PMTiles",
        3,
        *(HEADER.size, len(directory), after, len(metadata), 0, 0, content, long),
        *(len(found), len(found), len(found)),
        *(1, _GZIP, _GZIP, _VECTOR, min(zooms), max(zooms)),
        *(west, south, east, north),
        max(zooms),
        *((west + east) // 2, (south + north) // 2),
    )
    return header + directory + metadata + b"".join(body for _, body in found)


def _directory(entries: list[tuple[int, int]]) -> bytes:
    """Return the directory: numbers by their distance, run lengths, lengths, offsets; one after the other."""
    numbers = [number for number, _ in entries]
    steps = [number - before for before, number in zip([0, *numbers], numbers, strict=False)]
    lengths = [length for _, length in entries]
    # An offset of 0 says: right after the tile before.
    columns = [steps, [1] * len(entries), lengths, [1] + [0] * (len(entries) - 1)]
    return varint(len(entries)) + b"".join(varint(one) for column in columns for one in column)
