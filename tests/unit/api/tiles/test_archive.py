"""Files of tiles are read as the specification has them, and others are refused with what would mend it."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from api.tiles.archive import BadArchive, TileArchive, opened
from api.tiles.numbering import Tile, tile_number
from api.tiles.source import TileSource
from nabd.demo.tiles.archive import HEADER, write
from nabd.demo.tiles.drawing import FIRST_ZOOM, LAST_ZOOM, write_tiles
from nabd.demo.tiles.vector_tile import varint
from tests.unit.firmware_sim.build import small_town

WORLD = (-180.0, -85.0, 180.0, 85.0)


def archive_of(directory: Path, tiles: dict[Tile, bytes]) -> TileArchive:
    file = directory / "some.pmtiles"
    file.write_bytes(write(tiles, WORLD))
    return TileArchive(file)


@pytest.mark.parametrize(
    ("tile", "number"),
    [((0, 0, 0), 0), ((1, 0, 1), 2), ((1, 1, 0), 4), ((2, 0, 0), 5), ((12, 3423, 1763), 19078479)],
)
def test_tile_has_the_number_of_the_specification(tile: Tile, number: int) -> None:
    assert tile_number(*tile) == number


def test_archive_answers_each_of_its_tiles_and_none_beside_them(tmp_path: Path) -> None:
    tiles = {(2, x, y): f"{x} {y}".encode() * 40 for x in range(4) for y in range(4) if x != y}

    archive = archive_of(tmp_path, tiles)

    assert {tile: archive.tile(tile) for tile in tiles} == tiles
    assert [archive.tile(tile) for tile in ((2, 1, 1), (2, 9, 0), (1, 0, 0), (7, 0, 0))] == [None] * 4
    assert (archive.zooms, archive.tile_type, archive.bounds) == ((2, 2), "pbf", WORLD)


def test_archive_finds_tiles_of_a_run_through_a_directory_below_the_first(tmp_path: Path) -> None:
    body = gzip.compress(b"sea")
    first = tile_number(3, 0, 0)
    leaf = gzip.compress(b"".join(map(varint, (1, first, 4, len(body), 1))))
    root = gzip.compress(b"".join(map(varint, (1, first, 0, len(leaf), 1))))
    after = HEADER.size + len(root)
    lengths = (HEADER.size, len(root), after, 0, after, len(leaf), after + len(leaf), len(body), 4, 1, 1)
    head = HEADER.pack(b"PMTiles", 3, *lengths, 1, 2, 2, 1, 3, 3, 0, 0, 0, 0, 3, 0, 0)
    file = tmp_path / "leaves.pmtiles"
    file.write_bytes(head + root + leaf + body)

    archive = TileArchive(file)

    run = {(3, x, y) for x in range(8) for y in range(8) if first <= tile_number(3, x, y) < first + 4}
    assert [archive.tile(tile) for tile in run] == [b"sea"] * 4
    assert archive.tile((3, 7, 7)) is None


def test_made_up_town_is_a_file_with_its_sea_and_its_houses(tmp_path: Path) -> None:
    file = tmp_path / "town.pmtiles"
    write_tiles(small_town(municipality="tripoli", bins=3, lights=8, drones=1), file)

    archive = TileArchive(file)

    middle = archive.tile((14, 9823, 6520))
    assert (archive.zooms, archive.tile_type) == ((FIRST_ZOOM, LAST_ZOOM), "pbf")
    assert middle is not None
    assert all(layer in middle for layer in (b"earth", b"water", b"landuse", b"roads", b"buildings"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"SQLite format 3\0" * 20, "pmtiles convert"),
        (b"PMTiles\x02" + bytes(200), "version 3"),
        (b"", "version 3"),
    ],
)
def test_what_is_no_archive_is_refused_and_the_map_does_without(
    tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "other.pmtiles"
    file.write_bytes(content)

    with pytest.raises(BadArchive, match=said):
        TileArchive(file)
    assert opened(TileSource(file=file)) is None


def test_damaged_archive_says_so_instead_of_drawing_it(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, {(0, 0, 0): b"land" * 100})
    file = tmp_path / "some.pmtiles"
    file.write_bytes(file.read_bytes()[:-20] + bytes(20))

    with pytest.raises(BadArchive, match="damaged"):
        archive.tile((0, 0, 0))


def test_archive_that_was_cut_off_says_so_instead_of_drawing_half_a_tile(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, {(0, 0, 0): b"land" * 100})
    file = tmp_path / "some.pmtiles"
    os.truncate(file, file.stat().st_size - 5)

    with pytest.raises(BadArchive, match="cut off"):
        archive.tile((0, 0, 0))


def test_file_that_is_refused_does_not_stay_open(tmp_path: Path) -> None:
    file = tmp_path / "other.pmtiles"
    file.write_bytes(b"SQLite format 3\0" * 20)
    before = len(list(Path("/proc/self/fd").iterdir()))

    with pytest.raises(BadArchive):
        TileArchive(file)

    assert len(list(Path("/proc/self/fd").iterdir())) == before
