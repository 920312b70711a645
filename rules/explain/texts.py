"""An explanation as sentences in the reader's language. Pure; the sentences are in the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from devices.acceptable import undirected
from devices.instants import to_datetime
from devices.texts.catalogue import plural, text
from devices.texts.languages import Language, isolated
from devices.texts.units import symbol
from devices.time_zones import zone_named
from rules.definition.summary import truth
from rules.explain.evidence import LabelledValue
from rules.explain.explanation import Explanation, Missing, RuleStatus, Term, TruthValue, UndecidedReason
from rules.explain.phrase import phrase

Say = Callable[..., str]
"""Returns the sentence of a key, what is known of the explanation filled in."""

HEADINGS = (
    "heading.part",
    "heading.term",
    "heading.value",
    "heading.limit",
    "heading.holds",
    "heading.since",
    "heading.why",
)
_UNITS: Mapping[int, str] = {
    86400: "duration.day",
    3600: "duration.hour",
    60: "duration.minute",
    1: "duration.second",
}
"""By their length in seconds."""


def sentences(explanation: Explanation, language: Language) -> list[str]:
    """Return an explanation as sentences: how it stands, on what, and what is missing."""
    e = explanation

    def when(microseconds: int | None) -> str:
        return _isolated(instant(microseconds, e.time_zone), language)

    say = partial(
        text,
        language,
        rule=_isolated(e.rule, language),
        device=_isolated(e.device, language),
        severity=text(language, f"severity.{e.severity}") if e.severity else "",
        since=when(e.since),
        silent=when(e.silent_since),
        observed=when(e.observed_at),
        received=when(e.received_at),
        deadline=when(e.deadline),
        inhibited=str(e.inhibited_by),
        clear=_isolated(phrase(e.clear, e.labels, language), language),
        n=e.readings,
    )
    return [*_status(e, say), *_judged(e, say, language)]


def _status(e: Explanation, say: Say) -> list[str]:
    said = [say(f"status.{e.status}")]
    if e.silent_since is not None and e.status is not RuleStatus.UNKNOWN and e.deadline is None:
        said.append(say("explain.also_silent"))
    if e.inhibited_by is not None:
        said.append(say("explain.inhibited"))
    return said


def _judged(e: Explanation, say: Say, language: Language) -> list[str]:
    if e.deadline is not None:
        return [say("explain.deadline")]
    if e.across:
        return [say("explain.across")]
    said = [say("explain.judged_on" if e.observed_at is not None else "explain.no_reading")]
    if e.late_last:
        said.append(say("explain.late_last"))
    if e.gate is not TruthValue.TRUE:
        said.append(say("explain.gate_closed"))
    if e.status is RuleStatus.PENDING and e.missing is not None:
        said += _lacking(e.missing, language, "explain.missing_readings", "explain.missing_time") or [
            say("explain.missing_next")
        ]
        said += _restarts(e.missing, e.time_zone, language)
    if e.status in (RuleStatus.FIRING, RuleStatus.UNKNOWN) and e.clear:
        said.append(say("explain.ends"))
        if e.ends_missing is not None:
            said += _lacking(e.ends_missing, language, "explain.ending_readings", "explain.ending_time")
            said += _restarts(e.ends_missing, e.time_zone, language)
    return said


def _lacking(missing: Missing, language: Language, readings: str, lasting: str) -> list[str]:
    said = []
    if missing.readings:
        said.append(text(language, readings, n=missing.readings))
    if missing.lasting_us:
        said.append(text(language, lasting, duration=duration(missing.lasting_us, language)))
    return said


def _restarts(missing: Missing, zone: str, language: Language) -> list[str]:
    if missing.restarts_after is None:
        return []
    return [
        text(language, "explain.restarts", due=_isolated(instant(missing.restarts_after, zone), language))
    ]


def reason(found: UndecidedReason, language: Language) -> str:
    """Return why a term is undecided."""
    return text(language, f"reason.{found.why}", name=_isolated(found.name, language))


def reasons(term: Term, language: Language) -> str:
    """Return every reason why a term is undecided."""
    return "; ".join(reason(one, language) for one in term.reasons)


def instant(microseconds: int | None, zone: str) -> str:
    """Return an instant for people, to the second, on the clocks of a time zone, with their offset."""
    if microseconds is None:
        return "–"
    local = to_datetime(microseconds).astimezone(zone_named(zone)).isoformat(" ", "seconds")
    return local.replace("+00:00", "Z")


def duration(microseconds: int, language: Language) -> str:
    """Return a length of time in its two largest units, rounded up to a second."""
    left = -(-microseconds // 1_000_000)
    parts = []
    for size, unit in _UNITS.items():
        count, left = divmod(left, size)
        if count:
            parts.append(plural(language, unit, count))
    match parts:
        case []:
            return plural(language, "duration.second", 0)
        case [only]:
            return only
    return text(language, "duration.both", larger=parts[0], smaller=parts[1])


def _isolated(name: str, language: Language) -> str:
    """Keep a name that reads left to right whole where lines run the other way (Unicode isolates)."""
    return isolated(undirected(name), language) if name else name


def rows(explanation: Explanation, language: Language) -> list[tuple[object, ...]]:
    """Return one row per term, below HEADINGS."""
    return [
        (
            term.part,
            term.text,
            _worded(term.value, language),
            _worded(term.limit, language),
            text(language, f"truth.{term.truth}"),
            instant(term.since, explanation.time_zone),
            reasons(term, language),
        )
        for term in explanation.terms
    ]


def _worded(value: float | str | bool | None, language: Language) -> float | str | None:
    return truth(language, value) if isinstance(value, bool) else value


def fired_by(explanation: Explanation, language: Language) -> list[str]:
    """Return what made the open alert fire, a line each; nothing where none is open."""
    return [_told(told, language) for told in explanation.fired_by]


def _told(told: LabelledValue, language: Language) -> str:
    value = f"{told.value[language]} {symbol(told.unit, language)}".strip()
    limit = f" ({text(language, 'word.limit')})" if told.limit else ""
    return f"{told.label[language]}: {_isolated(value, language)}{limit}"
