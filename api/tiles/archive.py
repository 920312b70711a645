"""Tiles from one file on the disk: PMTiles 3 (github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md).

A file of any size: what is asked for is read, and nothing else; directories that were read are remembered.
"""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import structlog

from api.tiles.numbering import Tile, tile_number
from api.tiles.source import TileSource

log = structlog.get_logger(__name__)

_HEADER = struct.Struct("<7sB11Q6B4iB2i")
_DEEPEST = 4
"""Directories below each other; the specification has no more."""
_REMEMBERED = 256
_PLAIN, _GZIP = 1, 2
_TYPES = {1: "pbf", 2: "png", 3: "jpg", 4: "webp", 5: "avif"}


class BadArchive(Exception):
    """The file is no PMTiles that we read; the text says why."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """Tiles of a run, or with `run` 0 a directory of those from `number` on; where it is in its part."""

    number: int
    run: int
    length: int
    offset: int


class TileArchive:
    """An open file of tiles; reads from several threads at once.

    tile_type: pbf, png, jpg, webp or avif. zooms: the first and the last. bounds: west, south, east, north.
    """

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises:
            BadArchive: it is no PMTiles of version 3, or packed in a way that we do not read.
            OSError: it cannot be read.
        """
        self._file = os.open(path, os.O_RDONLY)
        try:
            self._read_header(path)
        except BaseException:
            self.close()
            raise
        self._entries = lru_cache(maxsize=_REMEMBERED)(self._read_entries)

    def _read_header(self, path: Path) -> None:
        head = os.pread(self._file, _HEADER.size, 0)
        if len(head) < _HEADER.size or head[:8] != b"PMTiles\x03":
            raise BadArchive(f"{path} is no PMTiles file of version 3; `pmtiles convert` makes one")
        _, _, *numbers = _HEADER.unpack(head)
        self._root = (numbers[0], numbers[1])
        self._leaves, self._content = numbers[4], numbers[6]
        packed, self._tiles_packed, tile_type, first, last = numbers[12:17]
        if packed not in (_PLAIN, _GZIP) or self._tiles_packed not in (_PLAIN, _GZIP):
            raise BadArchive(f"{path} is compressed otherwise than with gzip; `pmtiles convert` makes it so")
        if tile_type not in _TYPES:
            raise BadArchive(f"{path} holds tiles of a type that the map does not draw: {tile_type}")
        self._packed = packed == _GZIP
        self.tile_type = _TYPES[tile_type]
        self.zooms = (first, last)
        west, south, east, north = (number / 1e7 for number in numbers[17:21])
        self.bounds = (west, south, east, north)

    def tile(self, tile: Tile) -> bytes | None:
        """Return a tile, unpacked; None where there is none.

        Raises:
            BadArchive: the file is cut off or damaged.
            OSError: it cannot be read any more.
        """
        zoom, x, y = tile
        if not (self.zooms[0] <= zoom <= self.zooms[1] and max(x, y) < 2**zoom):
            return None
        number = tile_number(*tile)
        place = self._root
        for _ in range(_DEEPEST):
            entries = self._entries(*place)
            at = bisect_right(entries, number, key=lambda entry: entry.number) - 1
            if at < 0:
                return None
            entry = entries[at]
            if entry.run:
                held = number < entry.number + entry.run
                return self._read(self._content + entry.offset, entry.length) if held else None
            place = (self._leaves + entry.offset, entry.length)
        return None

    def _read(self, offset: int, length: int) -> bytes:
        body = self._part(offset, length)
        return _unpacked(body) if self._tiles_packed == _GZIP else body

    def _part(self, offset: int, length: int) -> bytes:
        body = os.pread(self._file, length, offset)
        if len(body) < length:
            raise BadArchive(f"the file of tiles is cut off: nothing stands behind byte {offset + len(body)}")
        return body

    def _read_entries(self, offset: int, length: int) -> list[_Entry]:
        body = self._part(offset, length)
        return _directory(_unpacked(body) if self._packed else body)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def opened(source: TileSource | None) -> TileArchive | None:
    """Return the file of a source, None where it has none or it cannot be read: maps do without it."""
    if source is None or source.file is None:
        return None
    try:
        return TileArchive(source.file)
    except (BadArchive, OSError) as error:
        log.warning("no tiles under the map", file=str(source.file), error=str(error))
        return None


def _unpacked(body: bytes) -> bytes:
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        raise BadArchive(f"the file of tiles is damaged: {error}") from error


def _directory(body: bytes) -> list[_Entry]:
    """Return the entries of a directory: numbers by their distance, run lengths, lengths, offsets."""
    numbers = _varints(body)
    try:
        count = next(numbers)
        steps, runs, lengths, offsets = ([next(numbers) for _ in range(count)] for _ in range(4))
    except StopIteration:
        raise BadArchive("the file of tiles is damaged: a directory is cut off") from None
    entries: list[_Entry] = []
    number = end = 0
    for step, run, length, offset in zip(steps, runs, lengths, offsets, strict=True):
        number += step
        start = offset - 1 if offset else end
        end = start + length
        entries.append(_Entry(number, run, length, start))
    return entries


def _varints(body: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in body:
        number |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
        else:
            yield number
            number = shift = 0
