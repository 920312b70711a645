"""What NABD_MAP_TILES may say, and what a refusal tells."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from api.http.edge import headers_of
from api.tiles.source import TileSource, format_of, source_of
from nabd.doctor.check import Verdict
from nabd.doctor.installation import check_tiles
from nabd.settings import Settings

OSM = "https://tiles.example.org:8443/city/{z}/{x}/{y}.png?key=1"


@pytest.mark.parametrize(
    ("said", "source"),
    [
        (None, None),
        ("", None),
        ("/srv/lebanon.pmtiles", TileSource(file=Path("/srv/lebanon.pmtiles"))),
        (OSM, TileSource(url=OSM)),
    ],
)
def test_source_is_a_file_or_an_address(said: str | None, source: TileSource | None) -> None:
    assert source_of(said) == source


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        ("/srv/lebanon.mbtiles", r"\*\.pmtiles"),
        ("ftp://host/{z}/{x}/{y}.png", "write https"),
        ("https://me:secret@host/{z}/{x}/{y}.png", "without a password"),
        ("https://{s}.host/{z}/{x}/{y}.png", "is no host"),
        ("https://host;script-src/{z}/{x}/{y}.png", "is no host"),
        ("https://host/{z}/{x}.png", "lacks {y}"),
        ("https://host/{z}/{x}/{y}.tiff", r"\.png, \.jpg"),
    ],
)
def test_setting_that_cannot_be_meant_is_refused_with_what_to_write(said: str, fix: str) -> None:
    with pytest.raises(ValidationError, match=fix):
        Settings(map_tiles=said)


def test_headers_allow_exactly_the_host_of_the_tiles() -> None:
    source = source_of(OSM)
    assert source is not None

    allowed, usual = (headers_of(one)["Content-Security-Policy"] for one in (source.origin, None))

    assert "connect-src 'self' https://tiles.example.org:8443;" in allowed
    assert allowed.replace(" https://tiles.example.org:8443", "") == usual
    assert "connect-src 'self';" in usual


def test_format_follows_from_the_ending() -> None:
    found = [format_of(f"https://host/{{z}}/{{x}}/{{y}}{end}") for end in (".png", ".pbf?k=.png", ".MVT")]
    assert found == ["raster", "vector", "vector"]


def test_doctor_says_that_the_file_of_tiles_is_missing(tmp_path: Path) -> None:
    found = check_tiles(str(tmp_path / "none.pmtiles"))
    assert found.verdict is Verdict.BAD
    assert check_tiles(OSM).verdict is Verdict.FINE
