"""How long the main thread is busy from an input to the next frame, in the queue, the list and an alert."""

from __future__ import annotations

from collections.abc import Sequence

from playwright.async_api import BrowserContext, Page

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


async def inputs(context: BrowserContext, url: str) -> list[float]:
    """Use the desk and the list of devices as a person does; return milliseconds of each input."""
    page = await context.new_page()
    await page.add_init_script(WATCH)
    await _open(page, url)
    await _keys(page, ["j", "j", "j", "k", "Enter"])
    await _keys(page, ["Escape", "j", "Enter", "Escape"])
    for severity in ("is-critical", "is-minor", "is-plain"):
        await page.locator(f"#severities .{severity}").first.click()
        await page.wait_for_timeout(SETTLE_MS)
    taken = list(await page.evaluate("window.taken"))
    await _open(page, f"{url}/devices")
    await page.locator("#search").focus()
    await _keys(page, list("azmi 12"))
    taken += await page.evaluate("window.taken")
    await page.close()
    return taken


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


async def _keys(page: Page, keys: Sequence[str]) -> None:
    for key in keys:
        await page.keyboard.press(key)
        await page.wait_for_timeout(SETTLE_MS)


def percentile(values: Sequence[float], share: float = 0.95) -> float:
    """Return a percentile of some numbers; NaN of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")
