"""What Grafana would not say: mistakes of a dashboard's JSON that show only when somebody opens it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from grafana_foundation_sdk.models import units

from api.grafana.units import SUFFIX
from devices.texts.languages import LANGUAGES

UNITS = {value for name, value in vars(units).items() if isinstance(value, str) and not name.startswith("_")}
VARIABLE = re.compile(r"\$(?:\{(\w[\w.]*)(?::\w+)?\}|(\w+))")
BUILT_IN = re.compile(r"__\w[\w.]*")
ARABIC = re.compile(r"[\u0600-\u06ff]")
SPAN = re.compile(r"\$__time(Filter|From|To|Group)")
SHAPES_OF_TIME = {"timeseries", "state-timeline", "status-history"}
WIDTH = 24


def faults(board: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a dashboard, each a sentence; none: nothing."""
    return [
        *_ids(board),
        *_overlaps(board),
        *_units(board),
        *_variables(board),
        *_spans(board),
        *_language(board),
    ]


def panels(board: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the charts of a dashboard, those of collapsed rows too."""
    for panel in board.get("panels", []):
        if panel["type"] == "row":
            yield from panel.get("panels") or []
        else:
            yield panel


def queries(board: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what asks and its SQL: panels, annotations and variables."""
    for panel in panels(board):
        for target in panel.get("targets", []):
            yield f"panel {panel['id']} {panel['title']}", target["rawSql"]
    for annotation in board["annotations"]["list"]:
        if "rawSql" in annotation.get("target", {}):
            yield f"annotation {annotation['name']}", annotation["target"]["rawSql"]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield f"variable {variable['name']}", variable["query"]


def _ids(board: Mapping[str, Any]) -> Iterator[str]:
    ids = [panel["id"] for panel in board["panels"]]
    for number in sorted({number for number in ids if ids.count(number) > 1}):
        yield f"id {number} is used {ids.count(number)} times"
    names = [variable["name"] for variable in board["templating"]["list"]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"variable {name} is defined twice"


def _overlaps(board: Mapping[str, Any]) -> Iterator[str]:
    for panel in board["panels"]:
        at = panel["gridPos"]
        if at["x"] < 0 or at["w"] < 1 or at["h"] < 1 or at["x"] + at["w"] > WIDTH:
            yield f"{_named(panel)} does not fit the page"
    for one, other in combinations(board["panels"], 2):
        a, b = one["gridPos"], other["gridPos"]
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        above = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        if not beside and not above:
            yield f"{_named(one)} overlaps {_named(other)}"


def _units(board: Mapping[str, Any]) -> Iterator[str]:
    for panel in panels(board):
        config = panel["fieldConfig"]
        used = [config["defaults"].get("unit")]
        used += [p["value"] for o in config["overrides"] for p in o["properties"] if p["id"] == "unit"]
        for unit in used:
            if unit is not None and unit not in UNITS and not unit.startswith(SUFFIX):
                yield f"{_named(panel)} has unit {unit!r}, which Grafana does not know"


def _variables(board: Mapping[str, Any]) -> Iterator[str]:
    defined = {variable["name"] for variable in board["templating"]["list"]}
    asked = [*queries(board), *((f"link {link['title']}", link.get("url") or "") for link in board["links"])]
    asked += [(_named(panel), str(panel["fieldConfig"])) for panel in panels(board)]
    for where, text in asked:
        for found in VARIABLE.finditer(text):
            name = found[1] or found[2]
            if name not in defined and not BUILT_IN.fullmatch(name):
                yield f"{where} names ${name}, which is no variable"


def _spans(board: Mapping[str, Any]) -> Iterator[str]:
    for panel in panels(board):
        sql = panel["targets"][0]["rawSql"]
        if panel["type"] in SHAPES_OF_TIME and not SPAN.search(sql):
            yield f"{_named(panel)} asks for all of time: $__timeFilter is missing"
    for annotation in board["annotations"]["list"]:
        if not SPAN.search(annotation.get("target", {}).get("rawSql", "$__timeFilter")):
            yield f"annotation {annotation['name']} asks for all of time: $__timeFilter is missing"


def _language(board: Mapping[str, Any]) -> Iterator[str]:
    language = next((tag for tag in board["tags"] if tag in LANGUAGES), None)
    if language is None:
        yield f"tags {board['tags']} name no language"
        return
    for panel in (board, *panels(board)):
        said = panel.get("description") or ""
        if not said:
            yield f"{_named(panel)} has no description"
        elif said.startswith("grafana.") or not _is_in(said, language):
            yield f"{_named(panel)} is described in another language than {language}: {said}"


_COMMON: Mapping[str, frozenset[str]] = {
    "en": frozenset(
        ("the", "of", "and", "in", "by", "to", "how", "each", "which", "what", "that", "for", "a")
    ),
    "fr": frozenset(
        ("le", "la", "les", "de", "des", "du", "et", "en", "par", "un", "une", "qui", "sur", "au")
    ),
}


def _is_in(said: str, language: str) -> bool:
    """Tell whether a sentence is in a language, by its letters and most common words."""
    if language == "ar":
        return bool(ARABIC.search(said))
    words = set(re.findall(r"\w+", said.lower()))
    own = len(words & _COMMON[language])
    other = len(words & _COMMON["fr" if language == "en" else "en"])
    return not ARABIC.search(said) and own >= other


def _named(panel: Mapping[str, Any]) -> str:
    return f"panel {panel.get('id')} {panel.get('title', '')!r}"
