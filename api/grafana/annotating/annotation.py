"""An alert as an annotation of Grafana: a region from its beginning to its end, known by its tags. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from alerts.queue import Alert
from devices.instants import to_microseconds
from devices.texts.catalogue import text
from devices.texts.languages import DEFAULT, Language

OURS = "nabd"
"""The tag of all that is posted, by which boards ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationText:
    """How annotations are written: in which language, with links to which console."""

    language: Language
    console: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertAnnotation:
    """What is to stand in Grafana of one alert.

    tag: with the beginning it tells the alert from all others. begin_ms, end_ms: since 1970; one instant
    while the alert is open. text: HTML.
    """

    tag: str
    tags: tuple[str, ...]
    begin_ms: int
    end_ms: int
    text: str

    def is_of(self, found: Mapping[str, Any]) -> bool:
        """Tell whether an annotation of a server is this alert's.

        Not by the tag alone: a database that was set up anew counts its alerts from 1 again.
        """
        return found["time"] == self.begin_ms and self.tag in found["tags"]

    def is_said_by(self, found: Mapping[str, Any]) -> bool:
        """Tell whether an annotation of a server says all of it already."""
        end = found.get("timeEnd") or found["time"]
        return (end, found["text"], {*found["tags"]}) == (self.end_ms, self.text, {*self.tags})


def annotation_of(alert: Alert, written: AnnotationText) -> AlertAnnotation:
    """Return what is to stand in Grafana of an alert as it is now."""
    begin_ms = _ms(alert.opened_at)
    tag = f"alert-{alert.id}"
    said = alert.summary.get(written.language) or alert.summary.get(DEFAULT) or alert.rule
    link = f'<a href="{escape(written.console)}/alerts/{alert.id}">{_opens(written.language)}</a>'
    return AlertAnnotation(
        tag=tag,
        tags=(OURS, alert.severity, alert.kind, alert.municipality, alert.device, tag),
        begin_ms=begin_ms,
        end_ms=max(begin_ms, _ms(alert.resolved_at)) if alert.resolved_at else begin_ms,
        text=f"{escape(said)} {link}",
    )


def _opens(language: Language) -> str:
    return escape(text(language, "grafana.open_console"))


def _ms(at: datetime) -> int:
    return to_microseconds(at) // 1000
