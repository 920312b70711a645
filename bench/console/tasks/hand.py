"""A person's hand on a page: does what is asked as a person would, and counts it."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

PATIENCE_MS = 30_000


@dataclass(slots=True)
class Hand:
    """Counts clicks, presses of keys, and fields that were typed into. A choice of a list is two clicks.

    What it looks at or waits for is no work and is not counted.
    """

    page: Page
    clicks: int = 0
    keys: int = 0
    fields: int = 0

    async def click(self, what: str | Locator) -> None:
        """Press something with the mouse or a finger."""
        self.clicks += 1
        await self._of(what).click(timeout=PATIENCE_MS)

    async def press(self, key: str) -> None:
        """Press a key."""
        self.keys += 1
        await self.page.keyboard.press(key)

    async def type(self, what: str | Locator, text: str) -> None:
        """Go into a field with a click and type a text there, in place of what it had."""
        self.clicks += 1
        self.fields += 1
        await self._of(what).fill(text, timeout=PATIENCE_MS)

    async def write(self, text: str) -> None:
        """Type a text where the focus is already."""
        self.fields += 1
        await self.page.keyboard.type(text)

    async def choose(self, what: str | Locator, value: str) -> None:
        """Open a list and choose of it."""
        self.clicks += 2
        await self._of(what).select_option(value, timeout=PATIENCE_MS)

    async def sees(self, what: str | Locator, text: str | None = None) -> None:
        """Wait until something is there; with `text`, until it says so."""
        found = self._of(what)
        await expect(found).to_be_visible(timeout=PATIENCE_MS)
        if text is not None:
            await expect(found).to_contain_text(text, timeout=PATIENCE_MS)

    def _of(self, what: str | Locator) -> Locator:
        return self.page.locator(what).first if isinstance(what, str) else what.first
