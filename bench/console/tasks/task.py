"""One task: whose it is, what is done, and what it took."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser

from bench.console.browser import READY
from bench.console.screens import SIZES, Width
from bench.console.tasks.hand import Hand
from devices.texts.languages import LOCALES, Language
from nabd.demo.cast import Occupation

LOADED_MS = 60_000
Doing = Callable[[Hand], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonTask:
    """A task. name: by which `rivals` knows it. start: the page that is open already, signed in.

    what: in words, how it goes. offline: the network is taken away once the page is there.
    """

    name: str
    what: str
    who: Occupation
    start: str
    do: Doing
    language: Language = "en"
    width: Width = "desk"
    offline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCount:
    """What a task took; seconds are those of this machine, and for orientation only."""

    task: PersonTask
    clicks: int
    fields: int
    keys: int
    seconds: float


async def count(browser: Browser, url: str, cookies: Any, task: PersonTask) -> TaskCount:
    """Do a task as a person and count.

    Raises:
        playwright.async_api.Error, AssertionError: the console did not do what the task expects.
    """
    phone: dict[str, Any] = {"has_touch": True, "is_mobile": True} if task.width == "phone" else {}
    context = await browser.new_context(locale=LOCALES[task.language], viewport=SIZES[task.width], **phone)
    try:
        await context.add_cookies(cookies)
        page = await context.new_page()
        await page.goto(url + task.start)
        await page.wait_for_selector(READY, timeout=LOADED_MS)
        if task.offline:
            await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        hand = Hand(page)
        began = time.perf_counter()
        await task.do(hand)
        took = time.perf_counter() - began
        return TaskCount(task=task, clicks=hand.clicks, fields=hand.fields, keys=hand.keys, seconds=took)
    finally:
        await context.close()


def named(tasks: Sequence[PersonTask], only: str) -> list[PersonTask]:
    """Return the tasks of these names, by commas; all without any.

    Raises:
        ValueError: there is no such task; the text names those there are.
    """
    wanted = {name.strip() for name in only.split(",") if name.strip()}
    names = {task.name for task in tasks}
    if unknown := wanted - names:
        raise ValueError(
            f"no task is called {', '.join(sorted(unknown))}; there are {', '.join(sorted(names))}"
        )
    return [task for task in tasks if not wanted or task.name in wanted]
