"""Tasks of docs/tasks.md take what stands there: three of them, in a small town."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from playwright.async_api import Browser

from alerts.transition import Severity
from api.http.guards import COOKIE
from bench.console.tasks.office import OFFICE
from bench.console.tasks.operator import MANY, OPERATOR
from bench.console.tasks.rivals import LOOKED_AT, RIVALS
from bench.console.tasks.table import BEGIN, END, rows, write
from bench.console.tasks.task import PersonTask, TaskCount, count, named
from bench.console.tasks.technician import TECHNICIAN
from tests.integration.api import builders
from tests.integration.api.builders import NOON
from tests.integration.console.pages import SENTENCE

ALL = (*OPERATOR, *TECHNICIAN, *OFFICE)
PAGE = Path(__file__).parents[3] / "docs/tasks.md"
SHORT = "new,acknowledge-20,handover"


def documented(task: PersonTask) -> int:
    """Return the clicks that the page tells of a task."""
    found = re.search(rf"^\| {re.escape(task.what)} \| (\d+) \|", PAGE.read_text(), re.MULTILINE)
    assert found, f"`make tasks ARGS='--write docs/tasks.md'` puts {task.name} into the page"
    return int(found[1])


async def test_short_form_takes_as_many_clicks_as_the_page_says(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    for n in range(MANY + 2):
        device = await builders.add(connection, f"bin-{n}")
        at = NOON - timedelta(minutes=n)
        await builders.fire(connection, device, severity=Severity.MAJOR, at=at, summary=SENTENCE)
    cookies = [{"name": COOKIE, "value": builders.TOKEN, "url": server}]

    found = [await count(browser, server, cookies, task) for task in named(ALL, SHORT)]

    assert {one.task.name: one.clicks for one in found} == {
        one.task.name: documented(one.task) for one in found
    }
    seen = await connection.fetchval("SELECT count(*) FROM alert WHERE acknowledged_at IS NOT NULL")
    assert seen == MANY


def test_page_tells_every_task_and_every_product_has_its_page() -> None:
    assert all(documented(task) >= 0 for task in ALL)
    assert set(RIVALS) <= {task.name for task in ALL}
    told = [one for steps in RIVALS.values() for one in steps]
    assert all(one.product in LOOKED_AT and one.page in PAGE.read_text() for one in told)


def test_table_is_put_between_its_marks_and_nowhere_else(tmp_path: Path) -> None:
    counts = [TaskCount(task=ALL[0], clicks=1, fields=0, keys=2, seconds=1.4)]
    page = tmp_path / "tasks.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")

    write(counts, page)

    assert page.read_text() == f"before\n{BEGIN}\n\n{rows(counts)}\n\n{END}\nafter\n"
    assert f"| {ALL[0].what} | 1 |  | 2 | 1 |" in page.read_text()
    page.write_text("without marks")
    with pytest.raises(ValueError, match="no place for the table"):
        write(counts, page)


def test_unknown_task_is_told_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no task is called silense; there are .*silence"):
        named(ALL, "silense,new")
