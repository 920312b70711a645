"""What a check of `nabd doctor` found. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How serious the result of a check is; only `bad` makes doctor fail."""

    FINE = "fine"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The result of one check. `fix` says what to do, where there is something to do."""

    subject: str
    verdict: Verdict
    said: str
    fix: str = ""


def fine(subject: str, said: str) -> CheckResult:
    """Return the result of a check that found nothing wrong."""
    return CheckResult(subject=subject, verdict=Verdict.FINE, said=said)


def note(subject: str, said: str, fix: str = "") -> CheckResult:
    """Return what should be known, and what to do where there is something to do."""
    return CheckResult(subject=subject, verdict=Verdict.NOTE, said=said, fix=fix)


def bad(subject: str, said: str, fix: str) -> CheckResult:
    """Return what is wrong, and what to do about it."""
    return CheckResult(subject=subject, verdict=Verdict.BAD, said=said, fix=fix)
