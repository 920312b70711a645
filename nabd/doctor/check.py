"""What a check of `nabd doctor` found, and how it reads in each language. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from devices.texts.catalogue import text
from devices.texts.languages import DEFAULT, Language
from devices.texts.translated import TranslatedText
from nabd.doctor.codes import CODES, UNNUMBERED


class Verdict(StrEnum):
    """How serious the result of a check is; only `bad` makes doctor fail."""

    FINE = "fine"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckText:
    """The result of one check in words of one language; code, subject and verdict are no words."""

    code: str
    subject: str
    title: str
    verdict: Verdict
    said: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The result of one check: what it looked at, the cause, and what to do."""

    subject: str
    verdict: Verdict
    cause: TranslatedText
    remedy: TranslatedText | None = None

    @property
    def code(self) -> str:
        """Its number, which stays."""
        return CODES.get(self.subject, UNNUMBERED)

    @property
    def said(self) -> str:
        """The cause in English."""
        return self.cause.in_language(DEFAULT)

    @property
    def fix(self) -> str:
        """What to do, in English; empty: nothing."""
        return self.remedy.in_language(DEFAULT) if self.remedy else ""

    def in_language(self, language: Language) -> CheckText:
        """Return what a reader of this language is told."""
        return CheckText(
            code=self.code,
            subject=self.subject,
            title=text(language, f"check.title_{self.subject.replace(' ', '_').lower()}"),
            verdict=self.verdict,
            said=self.cause.in_language(language),
            fix=self.remedy.in_language(language) if self.remedy else "",
        )


def fine(subject: str, cause: TranslatedText) -> CheckResult:
    """Return the result of a check that found nothing wrong."""
    return CheckResult(subject=subject, verdict=Verdict.FINE, cause=cause)


def note(subject: str, cause: TranslatedText, remedy: TranslatedText | None = None) -> CheckResult:
    """Return what should be known, and what to do where there is something to do."""
    return CheckResult(subject=subject, verdict=Verdict.NOTE, cause=cause, remedy=remedy)


def bad(subject: str, cause: TranslatedText, remedy: TranslatedText) -> CheckResult:
    """Return what is wrong, and what to do about it."""
    return CheckResult(subject=subject, verdict=Verdict.BAD, cause=cause, remedy=remedy)
