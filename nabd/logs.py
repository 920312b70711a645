"""Logs: one line a fact, on standard error; colours for a terminal, JSON for a collector."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog


def configure(process: str) -> None:
    """Set structlog up for a process; its name is in every line."""
    terminal = sys.stderr.isatty()

    def name(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {"process": process, **event}

    shared: list[structlog.typing.Processor] = [
        name,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if terminal:
        shared.append(structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback))
    else:
        # Tracebacks without local variables: a batch is megabytes, and a DSN has a password.
        tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)
        shared += [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
