"""What charts of several dashboards say alike: severities, states, names of columns, links to the console."""

from __future__ import annotations

from collections.abc import Mapping

from alerts.transition import Severity
from api.grafana.board import BoardColumn, BoardLink, BoardWord
from api.grafana.limits import CALM, COLOURS
from devices.texts.catalogue import text
from devices.texts.languages import Language


def severities(language: Language) -> Mapping[str, BoardWord]:
    """Return severities as they are shown, the worst first."""
    return {
        severity: BoardWord(text=text(language, f"console.severity_{severity}"), colour=colour)
        for severity, colour in COLOURS.items()
    }


def ranks(language: Language) -> Mapping[str, BoardWord]:
    """Return ranks of severities as they are shown: 0 is calm, 4 is critical."""
    worst_first: list[Severity] = list(COLOURS)
    calm = {"0": BoardWord(text=text(language, "grafana.calm"), colour=CALM)}
    return calm | {
        str(len(worst_first) - i): BoardWord(
            text=text(language, f"console.severity_{one}"), colour=COLOURS[one]
        )
        for i, one in enumerate(worst_first)
    }


def truths(language: Language) -> Mapping[str, BoardWord]:
    """Return what is shown of a boolean."""
    return {
        "false": BoardWord(text=text(language, "word.no"), colour="blue"),
        "true": BoardWord(text=text(language, "word.yes"), colour="orange"),
    }


def console(language: Language, path: str) -> BoardLink:
    """Return a link to a page of the console; the address of the console is a hidden variable."""
    return BoardLink(title=text(language, "grafana.open_console"), url=f"${{console}}{path}")


def columns(language: Language, *names: str) -> dict[str, BoardColumn]:
    """Return how columns are shown by their names in the query: each has the text grafana.column_<name>."""
    return {name: BoardColumn(name=text(language, f"grafana.column_{name}")) for name in names}


def by_severity(language: Language) -> dict[str, BoardColumn]:
    """Return columns that are called by severities, each in its colour."""
    return {
        severity: BoardColumn(name=word.text, colour=word.colour)
        for severity, word in severities(language).items()
    }
