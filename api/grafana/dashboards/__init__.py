"""All dashboards: each module has one, or one of each kind. Pure: kinds and a language in, boards out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from api.grafana.board import Board
from api.grafana.dashboards.city import city
from api.grafana.dashboards.council import council
from api.grafana.dashboards.desk import desk
from api.grafana.dashboards.device import of_device
from api.grafana.dashboards.kind import of_kind
from api.grafana.dashboards.platform import platform
from devices.kinds.kind import Kind
from devices.texts.languages import Language


def boards(kinds: Mapping[str, Kind], language: Language, *, console: str) -> list[Board]:
    """Return all dashboards in a language, for a console at an address."""
    found = [
        city(kinds, language),
        *(of_kind(kind, language) for kind in kinds.values()),
        *(of_device(kind, language) for kind in kinds.values()),
        desk(language),
        council(language),
        platform(language),
    ]
    shared = {"language": language, "console": console.rstrip("/")}
    return [replace(board, constants={**board.constants, **shared}) for board in found]
