"""What a technician does with a phone."""

from __future__ import annotations

import io

from PIL import Image

from bench.console.tasks.hand import Hand
from bench.console.tasks.task import Doing, PersonTask
from nabd.demo.cast import Occupation

ORDERS = ".orders .order-link"
STEP = ".steps [data-step={}]"


async def _next(hand: Hand) -> None:
    await hand.click(ORDERS)
    await hand.sees(".order-page h1")


async def _accept(hand: Hand) -> None:
    await _to(hand, "assigned")
    await hand.click(STEP.format("accept"))
    await hand.sees(STEP.format("start"))


async def _report(hand: Hand) -> None:
    await _to(hand, "accepted")
    await hand.page.context.set_offline(True)
    await hand.click(STEP.format("start"))
    await hand.sees(".report h2")
    hand.clicks += 1
    await hand.page.locator(".report input[type=file]").first.set_input_files(
        {"name": "lid.jpg", "mimeType": "image/jpeg", "buffer": _photo()}
    )
    await hand.sees(".report .photos img")
    await hand.type(".report [name=done]", "Lid mended")
    for item in range(await hand.page.locator(".check-item").count()):
        await hand.click(hand.page.locator(".check-item").nth(item).locator(".answer"))
    await hand.click(STEP.format("done"))
    await hand.sees(".waits")


async def _decline(hand: Hand) -> None:
    await _to(hand, "assigned")
    await hand.click(STEP.format("decline"))
    await hand.write("No ladder")
    await hand.click("dialog button.primary")
    await hand.page.locator("dialog").wait_for(state="detached")


async def _to(hand: Hand, state: str) -> None:
    """Open the first order of a state."""
    words = {"assigned": "Given", "accepted": "Accepted"}[state]
    await hand.click(hand.page.locator(ORDERS).filter(has_text=words))


def _photo() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (1600, 1200), (90, 120, 60)).save(file, "JPEG")
    return file.getvalue()


def _task(name: str, what: str, do: Doing, *, offline: bool = False) -> PersonTask:
    return PersonTask(
        name=name, what=what, who=Occupation.TECHNICIAN, start="/work", do=do, width="phone", offline=offline
    )


TECHNICIAN = (
    _task("next-job", "the next job, where and why", _next),
    _task("accept", "accept a job", _accept),
    _task("report", "report with a photo, without network", _report, offline=True),
    _task("decline", "say that it cannot be done", _decline),
)
