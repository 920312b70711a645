"""Whether there are traces: answered without loading anything where there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nabd.settings import Settings

if TYPE_CHECKING:
    from nabd.watching.tracing import Traces


class TracesMissing(Exception):
    """Traces are asked for, and what makes them is not installed."""


def traces_of(settings: Settings, process: str) -> Traces | None:
    """Return what makes the spans of a process; None where none are asked for.

    Raises:
        TracesMissing: the extra is not installed.
    """
    if not settings.traces_endpoint:
        return None
    try:
        from nabd.watching.tracing import Traces
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("opentelemetry"):
            raise
        raise TracesMissing("NABD_TRACES_ENDPOINT needs the extra: pip install 'nabd[otel]'") from None
    return Traces(settings.traces_endpoint, process)
