"""One vector tile (Mapbox Vector Tile 2.1) as bytes. Pure: must not know which town it is of.

Geometry comes in units of the tile, y downwards, EXTENT to a side. A feature has one property, its kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import shapely
from shapely.geometry.polygon import orient

EXTENT = 4096
_LINE, _POLYGON = 2, 3
_MOVE, _DRAW, _CLOSE = 1, 2, 7
_LENGTH_DELIMITED = 2
Feature = tuple[str, shapely.Geometry]
"""Its kind and its shape."""
Position = tuple[int, int]


def encode(layers: Mapping[str, Sequence[Feature]]) -> bytes:
    """Return a tile; layers and features that are empty at this size are left out."""
    return b"".join(_field(3, layer) for name, found in layers.items() if (layer := _layer(name, found)))


def _layer(name: str, features: Sequence[Feature]) -> bytes:
    kinds = sorted({kind for kind, _ in features})
    written = [
        _field(2, _feature(kinds.index(kind), shape, drawn))
        for kind, shape in features
        if (drawn := list(_commands(shape)))
    ]
    if not written:
        return b""
    values = b"".join(_field(4, _field(1, kind.encode())) for kind in kinds)
    head = _number(15, 2) + _field(1, name.encode())
    return head + b"".join(written) + _field(3, b"kind") + values + _number(5, EXTENT)


def _feature(kind: int, shape: shapely.Geometry, drawn: Iterable[int]) -> bytes:
    sort = _POLYGON if isinstance(shape, shapely.Polygon | shapely.MultiPolygon) else _LINE
    return _field(2, varint(0) + varint(kind)) + _number(3, sort) + _field(4, b"".join(map(varint, drawn)))


def _commands(shape: shapely.Geometry) -> Iterator[int]:
    """Yield the commands that draw a shape, from one position to the next (4.3 of the specification)."""
    at = (0, 0)
    for part in shapely.get_parts(shape):
        rings = [part] if isinstance(part, shapely.LineString) else _rings(part)
        for ring in rings:
            points = _whole(ring)
            closed = not isinstance(part, shapely.LineString)
            if closed:
                points = points[:-1]
            if len(points) < (3 if closed else 2):
                if closed and ring is rings[0]:
                    break  # without its outline, its holes are none
                continue
            for i, point in enumerate(points):
                if i < 2:
                    yield (_MOVE if i == 0 else _DRAW) | (1 if i == 0 else len(points) - 1) << 3
                yield _zigzag(point[0] - at[0])
                yield _zigzag(point[1] - at[1])
                at = point
            if closed:
                yield _CLOSE | 1 << 3


def _rings(polygon: shapely.Polygon) -> list[shapely.LinearRing]:
    """Return outline and holes, turned so that readers tell them apart."""
    turned = orient(polygon, sign=1.0)
    return [turned.exterior, *turned.interiors]


def _whole(line: shapely.LineString) -> list[Position]:
    """Return the positions on the grid, without those that fall onto the one before."""
    points = [(round(x), round(y)) for x, y in line.coords]
    return points[:1] + [here for before, here in pairwise(points) if here != before]


def _zigzag(number: int) -> int:
    return (number << 1) ^ (number >> 63)


def varint(number: int) -> bytes:
    """Return a number of Protocol Buffers, seven bits a byte."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def _number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def _field(field: int, body: bytes) -> bytes:
    return varint(field << 3 | _LENGTH_DELIMITED) + varint(len(body)) + body
