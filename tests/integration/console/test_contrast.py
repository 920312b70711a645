"""Every text of the console can be read: WCAG's 4.5 to 1, in both themes."""

from __future__ import annotations

from typing import Literal

import asyncpg
import pytest
from playwright.async_api import Browser, expect

from alerts.transition import Severity
from tests.integration.api import builders
from tests.integration.console.pages import SENTENCE, opened

pytestmark = pytest.mark.attack("texts that nobody can read")

LEAST = 4.5
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
CONTRASTS = """
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [x, y, z]) =>
    [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a), 1];
  const ground = (element) => {
    const below = element.parentElement ? ground(element.parentElement) : [255, 255, 255, 1];
    return over(rgba(getComputedStyle(element).backgroundColor), below);
  };
  const light = (color) => {
    const linear = (v) => (v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    const [r, g, b] = color.map((v) => linear(v / 255));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const text = texts.currentNode.textContent.trim();
    if (!text || !element.checkVisibility() || element.closest("svg, script, :disabled")) continue;
    const behind = ground(element);
    const [a, b] = [light(over(rgba(getComputedStyle(element).color), behind)), light(behind)];
    found.push([(Math.max(a, b) + .05) / (Math.min(a, b) + .05), text, element.className]);
  }
  return found;
}
"""


async def test_texts_stand_out_from_what_is_behind_them(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    for severity in Severity:
        device = await builders.add(connection, f"bin-{severity}", lat=34.43, lon=35.84)
        await builders.fire(connection, device, severity=severity, summary=SENTENCE, rule=f"full-{severity}")

    async with opened(browser, server) as page:
        await expect(page.locator(".alert")).to_have_count(len(Severity))
        await page.locator(".alert button", has_text="Details").first.click()
        grounds = set()
        for theme in THEMES:
            await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            grounds.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"))
            found = await page.evaluate(CONTRASTS)

            assert len(found) > 30
            assert [(round(ratio, 2), text, cls) for ratio, text, cls in found if ratio < LEAST] == []
    assert len(grounds) == len(THEMES)
