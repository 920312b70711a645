"""A layer's file, GeoJSON, read into features and problems, each with its place; and written again.

Pure: must not know the database. Every problem of a file is told at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from devices.registry.errors import Invalid
from devices.registry.ground import geometry
from devices.registry.ground.feature import Feature, FeatureProblem, Layer, NewFeature
from devices.registry.ground.names import code_of, titles
from devices.registry.registry import Municipality

MOST_BYTES = 32 * 1024 * 1024
MOST_FEATURES = 50_000
WGS84 = ("CRS84", "4326", "4979")
"""How names of the one coordinate system of GeoJSON end."""
EXAMPLE = (
    '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {…}, "geometry": {…}}]}'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFeatures:
    """A file as read: the features without a mistake of their own, and what is wrong with the others.

    codes: of all its features, those with a mistake too.
    """

    features: list[NewFeature] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)
    problems: list[FeatureProblem] = field(default_factory=list)


class _Refused(Exception):
    """The file as a whole cannot be read."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


def read(content: bytes, layer: Layer, municipality: Municipality) -> FoundFeatures:
    """Read a file's content; a problem with the file as a whole has no feature."""
    try:
        found = _features(content)
    except _Refused as refused:
        whole = FeatureProblem(pointer=refused.pointer, feature="", message=str(refused))
        return FoundFeatures(problems=[whole])
    result = FoundFeatures()
    by_code: dict[str, NewFeature] = {}
    for position, value in enumerate(found):
        feature, wrong = _feature(position, value, layer, municipality)
        result.problems.extend(wrong)
        if feature is None:
            continue
        earlier = by_code.setdefault(feature.name, feature)
        if earlier is not feature:
            result.problems.append(_repeated(feature, earlier))
        elif not wrong:
            result.features.append(feature)
    result.codes.update(by_code)
    return result


def _features(content: bytes) -> list[Any]:
    """Return the features of a collection.

    Raises:
        _Refused: it is no collection of features in degrees.
    """
    if len(content) > MOST_BYTES:
        raise _Refused(
            "",
            f"the file has more than the {MOST_BYTES:,} bytes that are allowed: leave out properties that"
            " are not needed, or simplify its lines: `ogr2ogr -simplify 0.00001 out.geojson in.geojson`",
        )
    document = _decoded(content)
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        what = document.get("type") if isinstance(document, dict) else None
        hint = ": export it as GeoJSON" if what == "Topology" else f": write {EXAMPLE}"
        raise _Refused("/type", f"it is {what or 'something else'}, not a GeoJSON FeatureCollection{hint}")
    _check_crs(document.get("crs"))
    features = document.get("features")
    if not isinstance(features, list) or not features:
        raise _Refused(
            "/features", "it has no features; `nabd municipality layer remove` takes features of a layer away"
        )
    if len(features) > MOST_FEATURES:
        raise _Refused("/features", f"it has {len(features):,} features, {MOST_FEATURES:,} are allowed")
    return features


def _decoded(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except RecursionError:
        raise _Refused("", "not GeoJSON: it nests too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        start = content[:100].lstrip()
        if start[:2] == b"PK" or start[:1] == b"<" or start[:4] == b"\x00\x00\x27\x0a":
            what = "it is a zip, a KML or GML, or a shapefile"
        else:
            what = str(error)
        fix = "export it as GeoJSON, for example `ogr2ogr -t_srs EPSG:4326 out.geojson in.shp`"
        raise _Refused("", f"not GeoJSON: {what}; {fix}") from None


def _check_crs(crs: Any) -> None:
    """Refuse the `crs` member of older files where it names another system than that of GeoJSON."""
    if crs is None:
        return
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str) or not name.endswith(WGS84):
        said = name if isinstance(name, str) else "no name"
        raise _Refused("/crs", f"its coordinates are in {said}; {geometry.CONVERT}")


def _feature(
    position: int, value: Any, layer: Layer, municipality: Municipality
) -> tuple[NewFeature | None, list[FeatureProblem]]:
    """Return a feature with the problems that it has; None where it has no code to tell it by."""
    if not isinstance(value, dict) or value.get("type") != "Feature":
        return None, [
            problem(position, "", Invalid("type", "not a Feature: wrap geometry and properties in one"))
        ]
    wrong: list[Invalid] = []
    properties = value.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    title: dict[str, str] = {}
    shape: Mapping[str, Any] = {}
    code = ""
    try:
        title = titles(properties, municipality.locale.partition("-")[0])
    except Invalid as refused:
        wrong.append(refused)
    try:
        code = code_of(properties, value.get("id"), title)
    except Invalid as refused:
        if title:
            wrong.append(refused)
    try:
        shape = geometry.checked(value.get("geometry"), layer, municipality)
    except Invalid as refused:
        wrong.append(refused)
    feature = NewFeature(name=code, title=title, geometry=shape, position=position) if code else None
    return feature, [problem(position, code or next(iter(title.values()), ""), one) for one in wrong]


def problem(position: int, name: str, refused: Invalid) -> FeatureProblem:
    """Return what is wrong with a file's feature; `refused.field` is the place within it."""
    place = f"/features/{position}/{refused.field}"
    return FeatureProblem(
        pointer=place, feature=f"features[{position}] {name}".strip(), message=refused.message
    )


def _repeated(feature: NewFeature, earlier: NewFeature) -> FeatureProblem:
    message = (
        f"{feature.name!r} is the code of features[{earlier.position}] too: give each a code of its own,"
        " or join both into one geometry of several parts"
    )
    return problem(feature.position, feature.name, Invalid("properties/code", message))


def write(features: Iterable[Feature]) -> dict[str, Any]:
    """Return features as a FeatureCollection that `read` takes back as it is."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": feature.name,
                "properties": {
                    "code": feature.name,
                    **{f"name:{language}": text for language, text in feature.title.items()},
                },
                "geometry": dict(feature.geometry),
            }
            for feature in features
        ],
    }
