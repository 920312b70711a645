"""Which tiles an installation shows under its map: a file of its own, or the address of a server. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

ENDINGS = ("png", "jpg", "jpeg", "webp", "pbf", "mvt")
VECTOR = ("pbf", "mvt")
OWN = "/api/v1/map/tiles/{z}/{x}/{y}"
"""Where tiles of a file are answered."""
LAST_ZOOM = 19

TileFormat = Literal["vector", "raster"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TileSource:
    """Where tiles come from. url: with {z}, {x} and {y}, None where they lie in `file`; one of both is set.

    attribution: who is to be named on the map, as text.
    """

    url: str | None = None
    file: Path | None = None
    attribution: str = ""

    @property
    def origin(self) -> str | None:
        """The other host that browsers may ask, None where it is the platform itself."""
        if self.url is None:
            return None
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


def source_of(said: str | None, attribution: str = "") -> TileSource | None:
    """Return what the setting names, None where it is empty.

    Raises:
        ValueError: it can be neither; the text says what to write.
    """
    if not said:
        return None
    if "://" not in said:
        if not said.endswith(".pmtiles"):
            raise ValueError("NABD_MAP_TILES names a file *.pmtiles or https://HOST/…/{z}/{x}/{y}.png")
        return TileSource(file=Path(said), attribution=attribution)
    _check(said)
    return TileSource(url=said, attribution=attribution)


def _check(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        raise ValueError(
            "NABD_MAP_TILES is no address: write https://HOST/…/{z}/{x}/{y}.png, without a password"
        )
    # It becomes part of a header: no name of a host has more than these.
    if not all(letter.isascii() and (letter.isalnum() or letter in ".-:[]") for letter in parts.netloc):
        raise ValueError(
            f"NABD_MAP_TILES: {parts.netloc} is no host; servers with {{s}} are named one by one"
        )
    missing = [mark for mark in ("{z}", "{x}", "{y}") if mark not in url]
    if missing:
        raise ValueError(f"NABD_MAP_TILES lacks {', '.join(missing)}: https://HOST/…/{{z}}/{{x}}/{{y}}.png")
    if _ending(url) not in ENDINGS:
        raise ValueError(
            f"NABD_MAP_TILES ends with one of .{', .'.join(ENDINGS)}; after that a query may come"
        )


def format_of(url: str) -> TileFormat:
    """Return what an address is of, by its ending."""
    return "vector" if _ending(url) in VECTOR else "raster"


def _ending(url: str) -> str:
    return urlsplit(url).path.rpartition(".")[2].lower()
