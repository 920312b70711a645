"""How long the main thread is busy from an input to the next frame, in the queue, the list and an alert."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from playwright.async_api import BrowserContext, CDPSession, Page

from bench.console.browser import READY

WATCH = """
(() => {
  window.taken = [];
  const watch = (event) => {
    if (!event.isTrusted) return;
    const began = event.timeStamp;
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => window.taken.push(performance.now() - began);
      channel.port2.postMessage(null);
    });
  };
  for (const name of ["keydown", "click", "input"]) addEventListener(name, watch, { capture: true });
})();
"""
"""Notes the time from an input until what follows the next frame is handled."""
FRAMES = """
(wanted) => new Promise((resolve) => {
  const taken = [];
  let last = performance.now();
  const frame = (now) => {
    taken.push(now - last);
    last = now;
    if (taken.length < wanted) requestAnimationFrame(frame);
    else resolve(taken.slice(1));
  };
  requestAnimationFrame(frame);
})
"""
SETTLE_MS = 150
DRAWN_MS = 30_000
DRAWN = """
(seen) => new Promise((done) => {
  const look = () => (window.taken.length > seen ? done(window.taken.at(-1)) : setTimeout(look, 10));
  look();
})
"""
IDLE = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLatency:
    """What one input cost.

    busy_ms: time that the main thread computed until the next frame was handed over, by its own clock: other
    programs and the drawing of maps do not count.
    drawn_ms: what passed until then on the wall, drawing by the processor included where no graphics card is.
    """

    busy_ms: float
    drawn_ms: float


async def inputs(context: BrowserContext, url: str) -> list[AnswerLatency]:
    """Use the desk and the list of devices as a person does; return what each input cost."""
    page = await context.new_page()
    await page.add_init_script(WATCH)
    session = await context.new_cdp_session(page)
    await session.send("Performance.enable", {"timeDomain": "threadTicks"})
    await _open(page, url)
    keys = ["j", "j", "j", "k", "Enter", "Escape", "j", "Enter", "Escape"]
    taken = [await _input(page, session, partial(page.keyboard.press, key)) for key in keys]
    for severity in ("is-critical", "is-minor", "is-plain"):
        box = await page.locator(f"#severities .{severity}").first.bounding_box()
        assert box is not None, "a severity that is not shown"
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        taken.append(await _input(page, session, partial(page.mouse.click, x, y)))
    await _open(page, f"{url}/devices")
    await page.locator("#search").focus()
    taken += [await _input(page, session, partial(page.keyboard.press, key)) for key in "azmi 12"]
    await page.close()
    return taken


async def _input(page: Page, session: CDPSession, act: Callable[[], Awaitable[None]]) -> AnswerLatency:
    """Do something that is one input, and wait until the frame after it is there."""
    await page.evaluate(IDLE)
    before, seen = await _busy_s(session), await page.evaluate("window.taken.length")
    await act()
    async with asyncio.timeout(DRAWN_MS / 1000):
        drawn_ms = await page.evaluate(DRAWN, seen)
    busy_s = await _busy_s(session) - before
    await page.wait_for_timeout(SETTLE_MS)
    return AnswerLatency(busy_ms=busy_s * 1000, drawn_ms=drawn_ms)


async def _busy_s(session: CDPSession) -> float:
    found = await session.send("Performance.getMetrics")
    return float(next(one["value"] for one in found["metrics"] if one["name"] == "TaskDuration"))


async def map_frames(context: BrowserContext, url: str) -> list[float]:
    """Move the map with the keyboard; return milliseconds between frames."""
    page = await context.new_page()
    await _open(page, url)
    await page.wait_for_timeout(2000)
    canvas = page.locator("#map canvas, #map svg").first
    await canvas.focus()
    for key in ("ArrowLeft", "ArrowUp", "+"):
        await page.keyboard.press(key)
    found: list[float] = await page.evaluate(FRAMES, 60)
    await page.close()
    return found


async def _open(page: Page, url: str) -> None:
    await page.goto(url)
    await page.wait_for_selector(READY, timeout=120_000)
    await page.wait_for_timeout(1000)


def percentile(values: Sequence[float], share: float = 0.95) -> float:
    """Return a percentile of some numbers; NaN of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")
