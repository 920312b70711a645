"""An explanation as a JSON object, for programs: facts, and the sentences in every language. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from devices.instants import rfc3339, to_datetime
from devices.texts.languages import LANGUAGES
from rules.explain.explanation import Explanation, Missing
from rules.explain.phrase import phrase
from rules.explain.texts import sentences


def document(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as a JSON object: facts, and the sentences in every language."""
    e = explanation
    return {
        "rule": e.rule,
        "version": e.version,
        "device": e.device,
        "at": _rfc3339(e.at),
        "time_zone": e.time_zone,
        "state": str(e.status),
        "severity": e.severity and str(e.severity),
        "since": _rfc3339(e.since),
        "alert": e.alert,
        "observed_at": _rfc3339(e.observed_at),
        "received_at": _rfc3339(e.received_at),
        "silent_since": _rfc3339(e.silent_since),
        "deadline": _rfc3339(e.deadline),
        "readings": e.readings,
        "looks": str(e.gate),
        "late_last": e.late_last,
        "inhibited_by": e.inhibited_by,
        "across": e.across,
        "evidence": dict(e.values),
        "fired_by": [asdict(told) for told in e.fired_by],
        "clear": e.clear,
        "missing": _missing_document(e.missing),
        "ends_missing": _missing_document(e.ends_missing),
        "levels": [
            {
                "severity": str(level.severity),
                "condition": level.condition,
                "reached": level.reached,
                "holds": str(level.truth),
                "since": _rfc3339(level.since),
                "missing": _missing_document(level.missing),
            }
            for level in e.levels
        ],
        "terms": [
            {
                "part": term.part,
                "text": term.text,
                "said": {language: phrase(term.text, e.labels, language) for language in LANGUAGES},
                "value": term.value,
                "limit": term.limit,
                "holds": str(term.truth),
                "since": _rfc3339(term.since),
                "reasons": [{"why": str(r.why), "name": r.name} for r in term.reasons],
            }
            for term in e.terms
        ],
        "sentences": {language: sentences(e, language) for language in LANGUAGES},
    }


def _missing_document(missing: Missing | None) -> dict[str, Any] | None:
    if missing is None:
        return None
    return {
        "readings": missing.readings,
        "seconds": missing.lasting_us / 1e6,
        "restarts_after": _rfc3339(missing.restarts_after),
    }


def _rfc3339(microseconds: int | None) -> str | None:
    return None if microseconds is None else rfc3339(to_datetime(microseconds))
