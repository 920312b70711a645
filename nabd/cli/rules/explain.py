"""`nabd rule explain`: why a rule fires on a device, or does not."""

from __future__ import annotations

from typing import Annotated

import typer

from devices.instants import to_microseconds
from devices.texts.catalogue import text
from nabd.cli.database import OpenDatabase
from nabd.cli.database import run as on_database
from nabd.cli.languages import Lang, language_of
from nabd.cli.output import fail, line, print_json, table, translated
from nabd.cli.rules.files import Json, RuleId
from nabd.cli.values import instant
from rules.definition.errors import RulesRefused
from rules.explain import document, texts
from rules.explain.explanation import Explanation
from rules.explain.load import explain_rule


def explain(
    rule: RuleId,
    device: Annotated[str, typer.Argument(help="the device's name")],
    at: Annotated[str | None, typer.Option(help="an instant, or how long ago: 2h; now without it")] = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Say how a rule stands on a device: each term with its value, since when, and what is still missing."""
    language = language_of(lang)

    async def work(opened: OpenDatabase) -> Explanation:
        now = opened.now()
        asked = instant(at, now)
        moment = now if asked is None else to_microseconds(asked)
        return await explain_rule(opened.connection, opened.kinds, rule, device, at=moment)

    try:
        explanation = on_database(work)
    except RulesRefused as refused:
        fail(f"{rule} cannot be used any more: {refused}")
    if as_json:
        print_json(document.document(explanation))
        return
    for sentence in texts.sentences(explanation, language):
        line(translated(sentence))
    if explanation.fired_by:
        line(text(language, "explain.fired_by"))
        for told in texts.fired_by(explanation, language):
            line(translated(f"  {told}"))
    else:
        for name, value in explanation.values.items():
            line(f"  {name}: {value}")
    if explanation.terms:
        rows = [(*said, translated(str(reasons))) for *said, reasons in texts.rows(explanation, language)]
        table([text(language, key) for key in texts.HEADINGS], rows)
