"""Every text that somebody asks for exists in every language, and every text that exists is asked for."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from alerts.events import EventType
from alerts.listing import AlertOrder
from alerts.overview.standings import StandingOrder, StandingStatus
from alerts.transition import Severity
from api.http.problems import SLUGS
from api.pages.assets import PAGES as ROOMS
from api.pages.texts import GROUPS, SHARED
from devices.commands.answered import STATUSES
from devices.commands.configuration import Agreement
from devices.commands.details import DETAIL_CODES, SITUATIONS
from devices.credentials.credential import CredentialForm
from devices.firmware.rollout import DeviceState, RolloutState
from devices.kinds import STRUCTURAL
from devices.registry.ground.feature import Layer
from devices.registry.life import Life
from devices.sources.source import Way
from devices.texts.languages import LANGUAGES, Language
from devices.wire import Reason as RejectionReason
from nabd.configuration.answers import QUESTIONS
from nabd.doctor import Verdict
from nabd.doctor.codes import CODES
from notify.answers.answering import AnswerRefusal
from notify.message import Occasion, ReaderAnswer
from notify.outbox.work_receivers import TOLD, WITHDRAWN
from people.contact_settings import CHANNELS, OWN_CHANNELS
from people.oidc.claims import Reason
from people.roles import Role, TokenScope
from rules.explain.explanation import RuleStatus, TruthValue, UndecidedCause
from rules.explain.labels import FUNCTIONS, SWEPT
from rules.explain.phrase import RELATIONS, WORDED
from rules.explain.wording import JOINING
from tests.unit.project.used_texts import (
    TextUse,
    UnclearUse,
    in_page,
    in_python,
    in_script,
    marks_in_page,
)
from work.event import WorkEventType
from work.figures.facts import FigureGroup
from work.figures.shaping import AGES
from work.figures.span import PeriodKind
from work.order import WorkState
from work.report import ANSWERS

ROOT = Path(__file__).parents[3]
CONSOLE = ROOT / "api/console"
FOLDERS = (
    "nabd",
    "api",
    "ingest",
    "rules",
    "alerts",
    "notify",
    "work",
    "people",
    "readings",
    "devices",
    "store",
    "firmware_sim",
    "bench",
)
MODULES = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
SCRIPTS = sorted(file for file in CONSOLE.rglob("*.js") if file.parent.name != "vendor")
PAGES = sorted(CONSOLE.rglob("*.html"))
ALL_AT_ONCE = [file for file in PAGES if file.name != "main.html"]
ASKING = (*ROOMS, "shell", "map")


def texts_of(group: str, beginning: str = "") -> list[str]:
    """Return how the keys of a group that begin like this go on, as the English catalogue has them."""
    english = (ROOT / "devices/texts/locale/en/LC_MESSAGES/nabd.po").read_text(encoding="utf-8")
    return re.findall(rf'^msgid "{group}\.{beginning}(\w+)"', english, re.MULTILINE)


FAMILIES: Mapping[str, Iterable[str]] = {
    "problem.": SLUGS,
    "console.rejected_": RejectionReason,
    "status.": RuleStatus,
    "severity.": Severity,
    "truth.": TruthValue,
    "reason.": UndecidedCause,
    "expression.": JOINING,
    "function.": {*FUNCTIONS, *WORDED},
    "relation.": (*RELATIONS.values(), "untrue"),
    "swept.": SWEPT,
    "page.oidc_": get_args(Reason),
    "notice.": Occasion,
    "setup.": QUESTIONS,
    "answer.": ReaderAnswer,
    "answer.done_": ReaderAnswer,
    "answer.refused_": AnswerRefusal,
    "notice.count_": Severity,
    "weekly.age_": AGES,
    "order.": {*TOLD, WITHDRAWN},
    "order.many_": {*TOLD, WITHDRAWN},
    # That each is shown on a dashboard: tests/unit/api/grafana/test_boards.py.
    "grafana.": texts_of("grafana"),
    "grafana.column_": texts_of("grafana", "column_"),
    "grafana.choose_": texts_of("grafana", "choose_"),
    "console.severity_": Severity,
    "conflict.order_is_": WorkState,
    "check.title_": {subject.replace(" ", "_").lower() for subject in CODES},
    "check.verdict_": Verdict,
}
"""Beginnings of keys that Python completes, and with what."""
STEPS = ("accept", "decline", "on-the-way", "start", "done")
SCRIPT_FAMILIES: Mapping[str, Iterable[str]] = {
    "severity_": Severity,
    "command_is_": STATUSES,
    "command_says_": tuple(DETAIL_CODES.values()),
    "command_situation_": SITUATIONS,
    "command_stands_": tuple(one for one in SITUATIONS if one != "source_removed"),
    "config_": Agreement,
    "rollout_is_": RolloutState,
    "update_is_": DeviceState,
    "request_is_": ("waiting", "approved", "refused", "lapsed"),
    "request_done_": ("approve", "refuse"),
    "state_": ("ok", "silent", "none"),
    "holds_": TruthValue,
    "layer_": Layer,
    "rulestate_": ("in_force", "broken", "disabled"),
    "template_": ("limit", "rate", "silence", "geofence"),
    "rule_says_": ("limit", "rate", "silence", "geofence"),
    "spell_": ("planned", "running", "coming", "active", "over", "cancelled", "past"),
    "verdict_": ("fine", "note", "bad"),
    "role_": Role,
    "rejected_": RejectionReason,
    "life_is_": Life,
    "form_is_": CredentialForm,
    "credential_": ("rotated", "revoked"),
    "kind_": STRUCTURAL,
    "channel_": {*CHANNELS, "web_push"},
    "channel_hint_": set(OWN_CHANNELS) - {"push"},
    "scope_": TokenScope,
    "event_": set(EventType) - {EventType.COMMENT},
    "work_state_": WorkState,
    "work_event_": WorkEventType,
    "do_": STEPS,
    "step_": (*STEPS, "cancel", "comment", "photo", "install", "move", "reading"),
    "check_": ANSWERS,
    "source_": ("messages", "readings", "rejected", "copies", "problems"),
    "source_way_": Way,
    "order_": AlertOrder,
    "group_": ("incident", "circuit", "district"),
    "filter_": ("kind", "district", "team", "rule"),
    "key_": (
        "next",
        "previous",
        "open",
        "acknowledge",
        "silence",
        "comment",
        "work",
        "choose",
        "search",
        "undo",
        "help",
        "back",
    ),
    "trend_": ("rising", "falling", "steady"),
    "work_": [state.replace("-", "_") for state in WorkState],
    "order_event_": [event.replace("-", "_") for event in WorkEventType],
    "told_": ("planned", "sending", "delivered", "refused", "given_up", "not_needed"),
    "compare_": ("none", "week", "near"),
    "status_": StandingStatus,
    "sort_": StandingOrder,
    "value_": ("above", "below"),
    "order_is_": WorkState,
    "per_": PeriodKind,
    "by_": FigureGroup,
    "age_": AGES,
}
"""The same of the console; a comment is shown, not described."""
DECLARED = re.compile(
    r"devices/(kinds/|commands/(new_command|configuration)|texts/languages)|firmware_sim/specs|api/(schemas|routes)/"
)
"""Where words by language may stand beside the catalogue: declarations, and examples of the API."""


@cache
def catalogue(language: Language) -> Catalog:
    """Return a catalogue as it is in its file."""
    file = ROOT / f"devices/texts/locale/{language}/LC_MESSAGES/nabd.po"
    return read_po(BytesIO(file.read_bytes()), locale=language)


def key_of(message: Message) -> str:
    """Return the key of an entry, with a plural or without."""
    return message.id if isinstance(message.id, str) else message.id[0]


def messages(language: Language) -> dict[str, Message]:
    """Return the entries of a language by key."""
    return {key_of(m): m for m in catalogue(language) if m.id}


def forms(message: Message) -> tuple[str, ...]:
    """Return every text of an entry: one, or one for each form."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def placeholders(text: str) -> set[str]:
    """Return the names in braces."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def completed(found: TextUse, families: Mapping[str, Iterable[str]]) -> Iterator[TextUse]:
    """Return a use as it is, or one for each member of its family."""
    if not found.family:
        yield found
        return
    assert found.key in families, f"{found.place} completes {found.key}: say with what, in this test"
    for member in families[found.key]:
        yield TextUse(key=found.key + member, place=found.place, plural=found.plural)


def of_console(found: TextUse) -> TextUse:
    """Return a use of the console under the catalogue's key."""
    known = messages("en")
    key = next((f"{g}.{found.key}" for g in GROUPS if f"{g}.{found.key}" in known), f"console.{found.key}")
    return TextUse(key=key, place=found.place, plural=found.plural)


@cache
def uses() -> tuple[TextUse, ...]:
    """Return every use in the tree."""
    return (*python_uses(), *console_uses())


def python_uses() -> Iterator[TextUse]:
    """Return what Python asks for."""
    groups = {key.partition(".")[0] for key in messages("en")} | {head[:-1] for head in FAMILIES}
    for file in MODULES:
        source, place = file.read_text(encoding="utf-8"), str(file.relative_to(ROOT))
        if any(f"{group}." in source for group in groups):
            for found in in_python(source, place, groups):
                yield from completed(found, FAMILIES)


def console_uses() -> Iterator[TextUse]:
    """Return what scripts and pages ask for."""
    for file in SCRIPTS:
        for found in in_script(file.read_text(encoding="utf-8"), file.name):
            yield from map(of_console, completed(found, SCRIPT_FAMILIES))
    for file in PAGES:
        page = file.read_text(encoding="utf-8")
        yield from map(of_console, in_page(page, file.name))
        yield from (use for _, use in marks_in_page(page, file.name))


def test_every_text_that_is_asked_for_exists() -> None:
    assert len([use for use in uses() if use.place.endswith(".py")]) > 80
    assert len([use for use in uses() if use.place.endswith(".js")]) > 70

    missing = {f"{use.key} ({use.place})" for use in uses() if use.key not in messages("en")}

    assert missing == set()


def test_every_text_is_asked_for() -> None:
    used = {use.key for use in uses()}

    assert sorted(messages("en").keys() - used) == [], "nobody asks for these"


def test_text_is_asked_for_by_number_where_it_has_forms() -> None:
    known = messages("en")
    wrong = {
        f"{use.key} ({use.place})"
        for use in uses()
        if use.plural is not None and use.key in known and known[use.key].pluralizable != use.plural
    }

    assert wrong == set()


def test_page_knows_every_text_that_its_room_asks_for() -> None:
    shared = {key.partition(".")[2] for key in messages("en") if key.partition(".")[0] in SHARED}
    for room in ASKING:
        own = {key.partition(".")[2] for key in messages("en") if key.startswith(f"console_{room}.")}
        for file in [*(CONSOLE / room).rglob("*.js"), *(CONSOLE / room).rglob("main.html")]:
            found = in_script if file.suffix == ".js" else in_page
            for use in found(file.read_text(encoding="utf-8"), file.name):
                for one in completed(use, SCRIPT_FAMILIES):
                    assert one.key in shared | own, f"{room}/{file.name}: {one.key} is another page's text"


def test_console_knows_no_two_texts_by_one_name() -> None:
    names = [key.partition(".")[2] for key in messages("en") if key.partition(".")[0] in GROUPS]

    assert len(names) > 70
    assert len(set(names)) == len(names)


def test_page_that_speaks_every_language_at_once_forgets_none() -> None:
    for file in ALL_AT_ONCE:
        said: dict[str, list[str]] = {}
        for language, use in marks_in_page(file.read_text(encoding="utf-8"), file.name):
            said.setdefault(use.key, []).append(language)
        assert said, file.name
        assert {key: sorted(found) for key, found in said.items()} == dict.fromkeys(said, sorted(LANGUAGES))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language: Language) -> None:
    english, own = messages("en"), messages(language)

    assert own.keys() == english.keys()
    assert len(own) == len([m for m in catalogue(language) if m.id]), "a key stands there twice"
    for key, message in own.items():
        expected = catalogue(language).num_plurals if english[key].pluralizable else 1
        assert len(forms(message)) == expected, key
        assert all(text.strip() == text != "" for text in forms(message)), key
        assert not message.fuzzy, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_has_the_placeholders_of_the_english_one(language: Language) -> None:
    for key, message in messages(language).items():
        english = set().union(*map(placeholders, forms(messages("en")[key])))
        if not message.pluralizable:
            assert placeholders(forms(message)[0]) == english, key
            continue
        assert "n" in english, key
        for form, numbers in numbers_of_forms(language).items():
            # A form of one number alone may say it in a word.
            spare = {"n"} if len(numbers) == 1 else set()
            assert placeholders(forms(message)[form]) | spare == english | spare, (key, form)


def numbers_of_forms(language: Language) -> dict[int, list[int]]:
    """Return the numbers below 200 of each form, by the catalogue's header."""
    probe = Catalog(locale=language)
    probe.mime_headers = [("Plural-Forms", catalogue(language).plural_forms)]
    probe.add(("k", "k"), tuple(str(form) for form in range(catalogue(language).num_plurals)))
    compiled = BytesIO()
    write_mo(compiled, probe)
    compiled.seek(0)
    translations = GNUTranslations(compiled)
    found: dict[int, list[int]] = {}
    for n in range(200):
        found.setdefault(int(translations.ngettext("k", "k", n)), []).append(n)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_forms_are_those_of_cldr_in_its_order(language: Language) -> None:
    order = ["zero", "one", "two", "few", "many", "other"]
    cldr = Locale(language).plural_form

    categories = [{cldr(n) for n in numbers} for _, numbers in sorted(numbers_of_forms(language).items())]

    assert all(len(names) == 1 for names in categories)
    names = [name for one in categories for name in one]
    assert names == sorted(names, key=order.index)
    assert len(names) == catalogue(language).num_plurals


def test_catalogues_are_in_form() -> None:
    outcome = subprocess.run([sys.executable, ROOT / "scripts/texts", "--check"], check=False)

    assert outcome.returncode == 0, "run scripts/texts"


def lists(node: ast.AST) -> bool:
    """Tell whether a tuple, list, set or dict names every language."""
    listed = getattr(node, "elts", None) or getattr(node, "keys", None) or ()
    return {part.value for part in listed if isinstance(part, ast.Constant)} >= set(LANGUAGES)


def test_languages_are_listed_once_and_words_stand_in_the_catalogue() -> None:
    """A list of the languages, or words by language, anywhere else would be forgotten with the next one."""
    found = []
    for file in MODULES:
        place, source = file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")
        if not DECLARED.match(place) and all(f'"{language}"' in source for language in LANGUAGES):
            found += [f"{place}: {ast.unparse(node)}" for node in ast.walk(ast.parse(source)) if lists(node)]
    listing = re.compile(r"\ben\b.*\bfr\b.*\bar\b")
    found += [script.name for script in SCRIPTS if listing.search(script.read_text(encoding="utf-8"))]

    assert found == []


@pytest.mark.parametrize(
    ("source", "keys"),
    [
        ('t("one") + tn("two", n, { m: t("three") })', ["one", "two", "three"]),
        ('t(a ? "one" : b?.c ? "two" : "three", { x })', ["one", "two", "three"]),
        ('t(["x", "y"].includes(is) ? `state_${is}` : `severity_${is}`)', ["state_", "severity_"]),
        ('t(a === "x" ? "one" : "two")', ["one", "two"]),
        ("const at(x); let x = o.t(y); export function t(key) {}", []),
    ],
)
def test_scan_of_a_script_finds_what_it_asks_for(source: str, keys: list[str]) -> None:
    assert [use.key for use in in_script(source, "x.js")] == keys


@pytest.mark.parametrize("source", ["t(key)", "t(`x${y}`)", 't(a ? key : "one")', 't("one" + two)'])
def test_scan_of_a_script_refuses_what_it_cannot_tell(source: str) -> None:
    with pytest.raises(UnclearUse):
        list(in_script(source, "x.js"))


def test_scan_of_a_module_finds_keys_wherever_they_stand() -> None:
    source = 'A = ("word.yes", "no.key")\nplural(l, "word.n", 3)\ntext(l, f"word.{x}")\n"""word.no."""'

    found = {(use.key, use.family, use.plural) for use in in_python(source, "x.py", {"word"})}

    assert found == {
        ("word.yes", False, None),
        ("word.n", False, True),
        ("word.n", False, None),
        ("word.", True, None),
    }
