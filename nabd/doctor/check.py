"""What a check of `nabd doctor` found. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nabd.doctor.codes import CODES, UNNUMBERED


class Verdict(StrEnum):
    """How serious the result of a check is; only `bad` makes doctor fail."""

    FINE = "fine"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The result of one check: its number, what it looked at, the cause, and what to do."""

    code: str
    subject: str
    verdict: Verdict
    said: str
    fix: str = ""


def fine(subject: str, said: str) -> CheckResult:
    """Return the result of a check that found nothing wrong."""
    return _found(subject, Verdict.FINE, said, "")


def note(subject: str, said: str, fix: str = "") -> CheckResult:
    """Return what should be known, and what to do where there is something to do."""
    return _found(subject, Verdict.NOTE, said, fix)


def bad(subject: str, said: str, fix: str) -> CheckResult:
    """Return what is wrong, and what to do about it."""
    return _found(subject, Verdict.BAD, said, fix)


def _found(subject: str, verdict: Verdict, said: str, fix: str) -> CheckResult:
    code = CODES.get(subject, UNNUMBERED)
    return CheckResult(code=code, subject=subject, verdict=verdict, said=said, fix=fix)
