"""What an operator does at the alert desk."""

from __future__ import annotations

from datetime import datetime, timedelta

from bench.console.tasks.hand import Hand
from bench.console.tasks.task import Doing, PersonTask
from devices.texts.languages import Language
from devices.time_zones import zone_named
from firmware_sim.specs import PLACES
from nabd.clock import wall
from nabd.demo.cast import Occupation

ROWS = "#alerts .alert"
PANE = "#explained"
MANY = 20


async def _new(hand: Hand) -> None:
    await hand.click("[data-chip=unseen]")
    await hand.sees(ROWS)


async def _worst(hand: Hand) -> None:
    await hand.press("j")
    await hand.press("Enter")
    await hand.sees(f"{PANE} .runbook")


async def _street(hand: Hand) -> None:
    await hand.press("/")
    await hand.write("الميناء ١٦")
    await hand.page.wait_for_url("**words=**")
    await hand.sees(hand.page.locator(ROWS).filter(has_text="الميناء 16"))


async def _many(hand: Hand) -> None:
    boxes = hand.page.locator(f"{ROWS} .pick input")
    await hand.click(boxes.nth(0))
    hand.clicks += 1
    await boxes.nth(MANY - 1).click(modifiers=["Shift"])
    await hand.click("[data-bulk=acknowledge]")
    await hand.sees(".toast", str(MANY))


async def _assign(hand: Hand) -> None:
    await hand.click(f"{ROWS} .summary")
    await hand.click(hand.page.get_by_role("button", name="Assign…"))
    await hand.click(hand.page.locator("dialog .choice").nth(2))
    await hand.click(hand.page.locator("dialog").get_by_role("button", name="Assign", exact=True))
    await hand.sees(".toast")


async def _silence(hand: Hand) -> None:
    await hand.click(f"{ROWS} .summary")
    await hand.click(hand.page.locator(PANE).get_by_role("button", name="Silence…"))
    await hand.sees("dialog [name=reason]:focus")
    await hand.write("street market")
    await hand.click("dialog .choice:has([value=district])")
    await hand.click("dialog .choice:has([value=morning])")
    await hand.click(hand.page.locator("dialog").get_by_role("button", name="Silence", exact=True))
    await hand.sees(f"{PANE} .who-has", "Silenced until")


async def _yesterday(hand: Hand) -> None:
    zone = zone_named(PLACES["tripoli"].time_zone)
    night = datetime.fromtimestamp(wall() / 1e6, zone) - timedelta(days=1)
    await hand.click("#filters summary")
    await hand.type("#filters [name=from]", night.strftime("%Y-%m-%dT02:30"))
    await hand.type("#filters [name=until]", night.strftime("%Y-%m-%dT03:30"))
    await hand.sees("#map.past")


async def _lamp(hand: Hand) -> None:
    await hand.click(hand.page.get_by_role("link", name="Devices"))
    await hand.type("#search", "LGT-005")
    await hand.click("[data-device$='LGT-005']")
    await hand.choose("[data-focus=compare]", "week")
    await hand.sees(".chart")


async def _bins(hand: Hand) -> None:
    await hand.click(hand.page.get_by_role("link", name="Devices"))
    await hand.choose("#filters [name=kind]", "bin")
    await hand.choose("#filters [name=district]", "D-2")
    await hand.choose("#filters [name=measurement]", "fill_pct")
    await hand.type("#filters [name=above]", "80")
    await hand.press("Enter")
    await hand.sees("#devices .row, #devices .empty")


async def _hand_over(hand: Hand) -> None:
    await hand.click(hand.page.get_by_role("button", name="Handover"))
    await hand.click(hand.page.locator("dialog button.primary"))
    await hand.sees("#handover .part")


async def _send(hand: Hand) -> None:
    free = hand.page.locator(ROWS).filter(has_not=hand.page.locator(".with"))
    await hand.click(free.locator(".summary"))
    await hand.click(hand.page.get_by_role("button", name="Send a crew…"))
    await hand.click(hand.page.get_by_role("button", name="Make the work order"))
    await hand.sees(f"{PANE} .who-has a")


def _task(name: str, what: str, do: Doing, language: Language = "en") -> PersonTask:
    return PersonTask(name=name, what=what, who=Occupation.OPERATOR, start="/", do=do, language=language)


OPERATOR = (
    _task("new", "what is new: everything that nobody has seen", _new),
    _task("worst", "the worst, with what to do about it", _worst),
    _task("street", "find a place by its number, in Arabic digits", _street, language="ar"),
    _task("acknowledge-20", "acknowledge 20 at once", _many),
    _task("assign", "give an alert to a person", _assign),
    _task("silence", "silence a district until morning", _silence),
    _task("yesterday", "what was open yesterday at 03:00", _yesterday),
    _task("last-week", "a lamp beside its last week", _lamp),
    _task("bins", "bins over 80 % in a district", _bins),
    _task("handover", "hand over the shift", _hand_over),
    _task("crew", "send a crew", _send),
)
