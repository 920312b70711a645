"""What a supervisor and an administrator do."""

from __future__ import annotations

from bench.console.tasks.hand import Hand
from bench.console.tasks.task import Doing, PersonTask
from nabd.demo.cast import Occupation

DIALOG = "dialog button.primary"


async def _late(hand: Hand) -> None:
    await hand.click(hand.page.get_by_role("link", name="Reports"))
    await hand.click("#parts a[href*='part=late']")
    await hand.sees(".part-late table")


async def _week(hand: Hand) -> None:
    await hand.click(hand.page.get_by_role("link", name="Reports"))
    await hand.click("#parts a[href*='part=weekly']")
    async with hand.page.expect_popup() as opened:
        await hand.click(".part-weekly .files a.button")
    await (await opened.value).wait_for_selector("h1")
    hand.keys += 1  # the browser's own print


async def _person(hand: Hand) -> None:
    await hand.click(hand.page.get_by_role("link", name="Administration"))
    await hand.click("[data-focus='add person']")
    await hand.write("amal")
    await hand.click(DIALOG)
    await hand.sees("dialog", "signs in once")


async def _device(hand: Hand) -> None:
    await hand.click(hand.page.get_by_role("link", name="Administration"))
    await hand.click("#parts a[href='/admin/devices']")
    await hand.click("[data-focus='add device']")
    await hand.write("TRP-BIN-900")
    await hand.type("dialog [name=lat]", "34.4371")
    await hand.type("dialog [name=lon]", "35.8502")
    await hand.click(DIALOG)
    await hand.sees("#part", "TRP-BIN-900")


async def _limit(hand: Hand) -> None:
    await hand.click(hand.page.get_by_role("link", name="Administration"))
    await hand.click("#parts a[href='/admin/rules']")
    await hand.click("#part a[href='/admin/rules/bin-tipped']")
    await hand.type("[data-limit]", "50")
    await hand.click("[data-focus=test]")
    await hand.sees("[aria-live] table, [aria-live] .facts")
    await hand.click("[data-focus=apply]")
    await hand.sees(".toast")


def _task(name: str, what: str, who: Occupation, do: Doing) -> PersonTask:
    return PersonTask(name=name, what=what, who=who, start="/", do=do)


OFFICE = (
    _task("late", "work that is late", Occupation.SUPERVISOR, _late),
    _task("week", "print the week", Occupation.SUPERVISOR, _week),
    _task("person", "add a person, with a way to sign in", Occupation.ADMIN, _person),
    _task("device", "add a device", Occupation.ADMIN, _device),
    _task("limit", "change a limit, tested on the past", Occupation.ADMIN, _limit),
)
