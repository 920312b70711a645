"""An explanation as sentences in English, French and Arabic. Pure; only sentences live here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from devices.instants import to_datetime
from rules.definition.summary import TRUTHS
from rules.explain.evidence import LabelledValue
from rules.explain.explanation import Explanation, Missing, RuleStatus, Term, TruthValue, UndecidedReason
from rules.explain.wording import in_words

Language = Literal["en", "fr", "ar"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

SEVERITIES: Mapping[str, Mapping[str, str]] = {
    "en": {"critical": "critical", "major": "major", "minor": "minor", "warning": "warning"},
    "fr": {"critical": "critique", "major": "majeure", "minor": "mineure", "warning": "avertissement"},
    "ar": {"critical": "حرج", "major": "كبير", "minor": "طفيف", "warning": "تحذير"},
}
WORTHS: Mapping[str, Mapping[TruthValue, str]] = {
    "en": {TruthValue.TRUE: "true", TruthValue.FALSE: "false", TruthValue.UNDECIDED: "undecided"},
    "fr": {TruthValue.TRUE: "vrai", TruthValue.FALSE: "faux", TruthValue.UNDECIDED: "indécis"},
    "ar": {TruthValue.TRUE: "صحيح", TruthValue.FALSE: "خطأ", TruthValue.UNDECIDED: "غير محسوم"},
}
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "en": ("part", "term", "value", "limit", "holds", "since", "why"),
    "fr": ("partie", "terme", "valeur", "limite", "tenu", "depuis", "raison"),
    "ar": ("الجزء", "الشرط", "القيمة", "الحد", "متحقق", "منذ", "السبب"),
}

FIRED_BY: Mapping[str, str] = {
    "en": "The alert was raised by:",
    "fr": "L'alerte a été levée par :",
    "ar": "سبب إطلاق التنبيه:",
}
SYMBOLS: Mapping[str, str] = {
    "Cel": "°C", "deg": "°", "[ppm]": "ppm", "dB[mW]": "dBm",
    "kW.h": "kWh", "L/har": "L/ha", "m/s2": "m/s²", "1": "",
}  # fmt: skip
"""Of units whose UCUM code is not what people read."""
LIMIT: Mapping[str, str] = {"en": "limit", "fr": "limite", "ar": "الحد"}

_SENTENCES: Mapping[str, Mapping[str, str]] = {
    "firing": {
        "en": "{rule} is firing on {device} since {since}, severity {severity}.",
        "fr": "{rule} est déclenchée sur {device} depuis {since}, gravité : {severity}.",
        "ar": "القاعدة {rule} مفعّلة على {device} منذ {since}، الخطورة: {severity}.",
    },
    "pending": {
        "en": "{rule} is pending on {device}: {severity} has held since {since}, not yet long enough.",
        "fr": "{rule} est en attente sur {device} : {severity} tient depuis {since}, trop peu encore.",
        "ar": "القاعدة {rule} قيد الانتظار على {device}: {severity} متحقق منذ {since}، ولم تكتمل المدة.",
    },
    "inactive": {
        "en": "{rule} is not firing on {device}.",
        "fr": "{rule} n'est pas déclenchée sur {device}.",
        "ar": "القاعدة {rule} غير مفعّلة على {device}.",
    },
    "unknown": {
        "en": "Nobody can say whether {rule} still holds on {device}: the device is silent since {silent}."
        " It was firing since {since}, severity {severity}.",
        "fr": "Nul ne peut dire si {rule} tient encore sur {device} : l'appareil est muet depuis {silent}."
        " Elle était déclenchée depuis {since}, gravité : {severity}.",
        "ar": "لا يمكن لأحد أن يعرف هل ما زالت القاعدة {rule} متحققة على {device}: الجهاز صامت منذ {silent}."
        " كانت مفعّلة منذ {since}، الخطورة: {severity}.",
    },
    "inhibited": {
        "en": "Nobody is called for it: alert {inhibited} explains it.",
        "fr": "Personne n'est appelé : l'alerte {inhibited} l'explique.",
        "ar": "لا يُستدعى أحد من أجله: التنبيه {inhibited} يفسّره.",
    },
    "across": {
        "en": "This rule is judged every few seconds over many devices or by time, not reading by reading.",
        "fr": "Cette règle est jugée toutes les quelques secondes, sur plusieurs appareils ou sur la durée.",
        "ar": "يُحكم على هذه القاعدة كل بضع ثوانٍ على عدة أجهزة أو بمرور الوقت، لا قراءةً بقراءة.",
    },
    "also_silent": {
        "en": "The device is silent since {silent}: what follows is what it said last.",
        "fr": "L'appareil est muet depuis {silent} : voici ce qu'il a dit en dernier.",
        "ar": "الجهاز صامت منذ {silent}: ما يلي هو آخر ما أبلغ به.",
    },
    "no_reading": {
        "en": "The device has sent no reading that counts.",
        "fr": "L'appareil n'a envoyé aucune lecture qui compte.",
        "ar": "لم يرسل الجهاز أي قراءة يُعتدّ بها.",
    },
    "judged_on": {
        "en": "Judged on the reading of {observed}; readings looked at: {n}.",
        "fr": "Jugé sur la lecture de {observed} ; lectures examinées : {n}.",
        "ar": "الحكم على قراءة {observed}؛ عدد القراءات المفحوصة: {n}.",
    },
    "late_last": {
        "en": "The newest reading to arrive came late: it is stored, and did not count here.",
        "fr": "La dernière lecture reçue était en retard : elle est enregistrée, mais ne compte pas ici.",
        "ar": "آخر قراءة وصلت متأخرة: حُفظت ولم تُحتسب هنا.",
    },
    "gate_closed": {
        "en": "The rule is not looking now: it is outside `when`, so this reading changes nothing.",
        "fr": "La règle ne regarde pas en ce moment : hors de `when`, cette lecture ne change rien.",
        "ar": "القاعدة لا تنظر الآن: خارج `when`، فلا تغيّر هذه القراءة شيئًا.",
    },
    "missing_readings": {
        "en": "Still missing to fire: readings in a row: {n}.",
        "fr": "Il manque encore pour déclencher : lectures de suite : {n}.",
        "ar": "المتبقي للتفعيل: قراءات متتالية: {n}.",
    },
    "missing_time": {
        "en": "Still missing to fire: {duration} without interruption.",
        "fr": "Il manque encore pour déclencher : {duration} sans interruption.",
        "ar": "المتبقي للتفعيل: {duration} دون انقطاع.",
    },
    "missing_next": {
        "en": "It fires with the next reading for which the condition holds.",
        "fr": "Elle se déclenche à la prochaine lecture pour laquelle la condition tient.",
        "ar": "تُفعّل مع القراءة التالية التي يتحقق فيها الشرط.",
    },
    "restarts": {
        "en": "If the next reading was taken after {due}, the count starts again.",
        "fr": "Si la prochaine lecture est postérieure à {due}, le décompte recommence.",
        "ar": "إذا كانت القراءة التالية بعد {due} يبدأ العدّ من جديد.",
    },
    "ends": {
        "en": "It ends once {clear} has held long enough.",
        "fr": "Elle prend fin quand {clear} a tenu assez longtemps.",
        "ar": "تنتهي حين يستمر تحقق {clear} مدة كافية.",
    },
    "ending_readings": {
        "en": "That holds now; still missing: readings in a row: {n}.",
        "fr": "C'est le cas ; il manque encore : lectures de suite : {n}.",
        "ar": "هذا متحقق الآن؛ المتبقي: قراءات متتالية: {n}.",
    },
    "ending_time": {
        "en": "That holds now; still missing: {duration} without interruption.",
        "fr": "C'est le cas ; il manque encore : {duration} sans interruption.",
        "ar": "هذا متحقق الآن؛ المتبقي: {duration} دون انقطاع.",
    },
    "deadline": {
        "en": "The last reading was received at {received}; the device counts as silent after {deadline}.",
        "fr": "La dernière lecture a été reçue à {received} ; l'appareil est muet après {deadline}.",
        "ar": "استُلمت آخر قراءة في {received}؛ يُعدّ الجهاز صامتًا بعد {deadline}.",
    },
}

_REASONS: Mapping[str, Mapping[str, str]] = {
    "missing": {
        "en": "{name} is missing in this reading",
        "fr": "{name} manque dans cette lecture",
        "ar": "{name} غائب عن هذه القراءة",
    },
    "suspect": {
        "en": "{name} is marked suspect",
        "fr": "{name} est marqué douteux",
        "ar": "{name} موسوم بأنه مشكوك فيه",
    },
    "no_attribute": {
        "en": "the device lacks an attribute",
        "fr": "un attribut de l'appareil manque",
        "ar": "تنقص الجهازَ خاصية",
    },
    "no_past": {
        "en": "there is no earlier reading near enough",
        "fr": "aucune lecture antérieure assez proche",
        "ar": "لا توجد قراءة سابقة قريبة بما يكفي",
    },
    "not_a_number": {
        "en": "it cannot be computed, for example divided by zero",
        "fr": "calcul impossible, par exemple division par zéro",
        "ar": "لا يمكن حسابه، كالقسمة على صفر",
    },
}

_UNITS: Mapping[str, tuple[str, str, str, str]] = {
    "en": ("d", "h", "min", "s"),
    "fr": ("j", "h", "min", "s"),
    "ar": ("يوم", "ساعة", "دقيقة", "ثانية"),
}


def sentences(explanation: Explanation, language: Language) -> list[str]:
    """Return an explanation as sentences: how it stands, on what, and what is missing."""
    e = explanation

    def when(microseconds: int | None) -> str:
        return _isolated(instant(microseconds, e.time_zone), language)

    facts = {
        "rule": _isolated(e.rule, language),
        "device": _isolated(e.device, language),
        "severity": SEVERITIES[language][e.severity] if e.severity else "",
        "since": when(e.since),
        "silent": when(e.silent_since),
        "observed": when(e.observed_at),
        "received": when(e.received_at),
        "deadline": when(e.deadline),
        "clear": _isolated(in_words(e.clear, e.labels, language), language),
        "n": str(e.readings),
    }
    return [_SENTENCES[key][language].format(**{**facts, **more}) for key, more in _keys(e, language)]


def _keys(e: Explanation, language: Language) -> list[tuple[str, dict[str, str]]]:
    keys: list[tuple[str, dict[str, str]]] = [(str(e.status), {})]
    if e.silent_since is not None and e.status is not RuleStatus.UNKNOWN and e.deadline is None:
        keys.append(("also_silent", {}))
    if e.inhibited_by is not None:
        keys.append(("inhibited", {"inhibited": str(e.inhibited_by)}))
    if e.deadline is not None:
        return [*keys, ("deadline", {})]
    if e.across:
        return [*keys, ("across", {})]
    keys.append(("judged_on" if e.observed_at is not None else "no_reading", {}))
    if e.late_last:
        keys.append(("late_last", {}))
    if e.gate is not TruthValue.TRUE:
        keys.append(("gate_closed", {}))
    if e.status is RuleStatus.PENDING and e.missing is not None:
        keys += _missing("missing", e.missing, e.time_zone, language)
    if e.status in (RuleStatus.FIRING, RuleStatus.UNKNOWN) and e.clear:
        keys.append(("ends", {}))
        if e.ends_missing is not None:
            keys += _missing("ending", e.ends_missing, e.time_zone, language)
    return keys


def _missing(key: str, missing: Missing, zone: str, language: Language) -> list[tuple[str, dict[str, str]]]:
    told: list[tuple[str, dict[str, str]]] = []
    if missing.readings:
        told.append((f"{key}_readings", {"n": str(missing.readings)}))
    if missing.lasting_us:
        told.append((f"{key}_time", {"duration": duration(missing.lasting_us, language)}))
    if not told and key == "missing":
        told.append(("missing_next", {}))
    if missing.restarts_after is not None:
        told.append(("restarts", {"due": _isolated(instant(missing.restarts_after, zone), language)}))
    return told


def reason(found: UndecidedReason, language: Language) -> str:
    """Return why a term is undecided."""
    return _REASONS[found.why][language].format(name=_isolated(found.name, language))


def reasons(term: Term, language: Language) -> str:
    """Return every reason why a term is undecided."""
    return "; ".join(reason(one, language) for one in term.reasons)


def instant(microseconds: int | None, zone: str) -> str:
    """Return an instant for people, to the second, on the clocks of a time zone, with their offset."""
    if microseconds is None:
        return "–"
    local = to_datetime(microseconds).astimezone(ZoneInfo(zone)).isoformat(" ", "seconds")
    return local.replace("+00:00", "Z")


def duration(microseconds: int, language: Language) -> str:
    """Return a length of time in its two largest units, rounded up to a second."""
    left = -(-microseconds // 1_000_000)
    parts = []
    for size, unit in zip((86400, 3600, 60, 1), _UNITS[language], strict=True):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or f"0 {_UNITS[language][3]}"


def _isolated(text: str, language: Language) -> str:
    """Keep a name that reads left to right whole inside Arabic (Unicode isolates)."""
    return f"\u2068{text}\u2069" if language == "ar" and text else text


def rows(explanation: Explanation, language: Language) -> list[tuple[object, ...]]:
    """Return one row per term, below HEADINGS."""
    return [
        (
            term.part,
            term.text,
            _worded(term.value, language),
            _worded(term.limit, language),
            WORTHS[language][term.truth],
            instant(term.since, explanation.time_zone),
            reasons(term, language),
        )
        for term in explanation.terms
    ]


def _worded(value: float | str | bool | None, language: Language) -> float | str | None:
    return TRUTHS[language][value] if isinstance(value, bool) else value


def fired_by(explanation: Explanation, language: Language) -> list[str]:
    """Return what made the open alert fire, a line each below FIRED_BY; nothing where none is open."""
    return [_told(told, language) for told in explanation.fired_by]


def _told(told: LabelledValue, language: Language) -> str:
    value = f"{told.value[language]} {SYMBOLS.get(told.unit, told.unit)}".strip()
    limit = f" ({LIMIT[language]})" if told.limit else ""
    return f"{told.label[language]}: {_isolated(value, language)}{limit}"
