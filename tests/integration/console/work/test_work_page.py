"""Work in a real browser: a technician's phone that loses the network, and an operator who gives work."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
from PIL import Image
from playwright.async_api import Browser, FilePayload, Page, expect

from alerts.transition import Severity
from api.app import create_app
from devices.instants import to_datetime
from devices.registry.registry import get_device
from people.links import create_link
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.console.pages import PATIENCE_MS, SENTENCE, sign_in_by_link
from tests.integration.work.builders import person, step
from tests.serving import serving
from tests.waiting import eventually
from work.assigning import Crew, assign
from work.orders import NewOrder, make
from work.steps import accept

PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
HERE: dict[str, Any] = {
    "permissions": ["geolocation"],
    "geolocation": {"latitude": 34.44, "longitude": 35.83, "accuracy": 12},
}


class Clock:
    """A clock of the platform that the test moves."""

    def __init__(self) -> None:
        self.now = builders.now()

    def __call__(self) -> int:
        """Return the time, microseconds since 1970-01-01Z."""
        return self.now


@asynccontextmanager
async def opened(browser: Browser, url: str, link: str, locale: str, **how: Any) -> AsyncIterator[Page]:
    """Open /work as whom a link signs in; an error of a script fails the test."""
    errors: list[str] = []
    context = await browser.new_context(locale=locale, **how)
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: errors.append(m.text) if "Content Security Policy" in m.text else None)
    await sign_in_by_link(page, f"{url}/signin?link={link}")
    await expect(page.locator("#link.on")).to_be_visible()
    await page.goto(f"{url}/work")
    await expect(page.locator("#link.on")).to_be_visible()
    yield page
    await context.close()
    assert errors == []


async def order_of(connection: asyncpg.Connection, device: str, to: str) -> int:
    """Make an order from an alert of a device at a place, given to a technician."""
    added = await builders.add(connection, device, title="ساحة التل", lat=34.4367, lon=35.8497)
    alert = await builders.fire(connection, added, severity=Severity.MAJOR, summary=SENTENCE)
    made = await make(connection, NewOrder(alerts=[alert], to=Crew(assignee=to)), step(minutes=-30))
    return made.id


def photo() -> FilePayload:
    """A photo larger than what is sent, as a file that was chosen."""
    file = io.BytesIO()
    Image.new("RGB", (2400, 1200), (90, 120, 60)).save(file, format="JPEG")
    return {"name": "lid.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


async def is_kept(page: Page, order: int, done: str) -> bool:
    """Tell whether the phone has stored what was typed last, which takes a moment beside a photo."""
    read = "async (name) => (await (await import('/console/shell/kept.js')).readValue(name))?.done"
    return bool(await page.evaluate(read, f"draft {order}") == done)


async def test_technician_works_without_network_and_everything_arrives_with_its_own_time(
    browser: Browser, pool: asyncpg.Pool, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    rima = await person(connection, "rima", display_name="ريما")
    amina = await person(connection, "amina", display_name="أمينة")
    lost, own = await order_of(connection, "bin-2", "rima"), await order_of(connection, "bin-1", "rima")
    link = await create_link(connection, rima.principal, builders.now(), by=PLATFORM)
    clock = Clock()
    app = create_app(
        pool=pool, kinds=builders.KINDS, now=clock, beyond_loopback=True, photo_dir=tmp_path / "photos"
    )

    server = serving(app)
    url = await server.__aenter__()
    async with opened(browser, url, link, "ar", **PHONE, **HERE) as page:
        await expect(page.locator(".orders .order")).to_have_count(2)
        for order in (lost, own):
            await page.goto(f"{url}/work/{order}")
            await expect(page.locator(".order-page h1")).to_contain_text("ممتلئة")
        await expect(page.locator("a[href^='geo:34.4367']")).to_be_visible()
        await page.evaluate("navigator.serviceWorker.ready")
        await server.__aexit__()
        await expect(page.locator("#lost")).to_be_visible()

        bar = page.locator(".steps .primary")
        for does in ("accept", "on-the-way", "start"):
            await page.locator(f".steps .primary[data-step='{does}']").click()
        await page.locator("[data-item=lid_closes] .answer").first.click()
        await page.locator(".report input[type=file]").set_input_files(photo())
        await expect(page.locator(".report .photos img")).to_have_count(1)
        await page.locator("textarea[name=done]").fill("غطاء جديد <b>")
        await eventually(lambda: is_kept(page, own, "غطاء جديد <b>"))
        await page.reload()
        await expect(page.locator("textarea[name=done]")).to_have_value("غطاء جديد <b>")
        await expect(page.locator(".report .photos img")).to_have_count(1)
        await expect(bar).to_have_attribute("data-step", "done")
        # A second tap in haste is not a second report.
        await bar.dblclick()
        await expect(page.locator(".waits")).to_contain_text("٥")
        await page.locator(".back").click()
        await page.locator(f"[data-focus='order {lost}']").click()
        await page.locator(".steps .primary[data-step='accept']").click()
        await expect(page.locator(".waits")).to_contain_text("٦")

        clock.now += 600_000_000
        await assign(connection, lost, Crew(assignee="amina"), step(minutes=2))
        await accept(connection, lost, step(amina, minutes=3))
        async with serving(app, int(url.rpartition(":")[2])):
            await expect(page.locator(".refused")).to_contain_text("أخذه \u2068أمينة\u2069")
            await expect(page.locator(".waits")).to_have_count(0)
            await page.locator(".refused .quiet").click()
            await page.locator("dialog .danger").click()
            await expect(page.locator(".refused")).to_have_count(0)
            await page.goto(f"{url}/work/{own}")
            await expect(page.locator(".told q")).to_contain_text("غطاء جديد <b>")
            await expect(page.locator(".photos img")).to_have_count(1)
            assert await page.evaluate("document.documentElement.scrollWidth") <= 360

            await page.goto(f"{url}/work/install")
            await page.locator("input[name=name]").fill("bin-9")
            await page.locator("select[name=kind]").select_option("bin")
            await page.locator(".install fieldset button").click()
            await expect(page.locator("input[name=lat]")).to_have_value("34.440000")
            await expect(page.locator(".install fieldset .meta")).to_contain_text("١٢")
            await page.locator(".install .primary").click()
            await expect(page.locator(".verdict.is-none")).to_be_visible()
            device = await get_device(connection, "bin-9")
            await builders.report(connection, device, at=to_datetime(clock.now), fill_pct=50.0)
            await expect(page.locator(".verdict.is-ok")).to_be_visible()
            assert (device.lat, device.lon, device.municipality) == (34.44, 35.83, "tripoli")

            await page.locator("#sign-out").click()
            await expect(page.locator("input[name=password]")).to_be_visible()
            assert await page.evaluate("caches.has('nabd-documents')") is False
            assert await page.evaluate(COUNTED) == [0, 0]

    events = await connection.fetch(
        "SELECT type, happened_at, created_at FROM work_event WHERE order_id = $1 ORDER BY id", own
    )
    steps = [row for row in events if row["type"] not in ("created", "assigned")]
    assert [row["type"] for row in steps] == ["accepted", "on-the-way", "in-progress", "photo-added", "done"]
    assert all(row["created_at"] == to_datetime(clock.now) for row in steps)
    told = [row["happened_at"] for row in steps if row["type"] != "photo-added"]
    assert told == sorted(told)
    assert builders.NOON <= told[0] < told[-1] < builders.NOON + timedelta(minutes=5)
    sizes = await connection.fetch("SELECT width, height FROM work_photo")
    assert [(row["width"], row["height"]) for row in sizes] == [(1600, 800)]


COUNTED = """
new Promise((done) => {
    indexedDB.open("nabd").onsuccess = ({ target: { result } }) => {
        const transaction = result.transaction(["values", "waiting"]);
        const asked = ["values", "waiting"].map((name) => transaction.objectStore(name).count());
        transaction.oncomplete = () => done(asked.map((one) => one.result));
    };
})
"""


async def test_operator_finds_what_is_nobodys_and_gives_it(
    browser: Browser, pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await person(connection, "rima", skills=["bin"], display_name="Rima")
    omar = await person(connection, "omar", "operator@tripoli", display_name="Omar")
    given = await order_of(connection, "bin-1", "rima")
    device = await builders.add(connection, "bin-2", title="Souk")
    free = await make(connection, NewOrder(device=device.name, title="paint <b>it</b>"), step())
    link = await create_link(connection, omar.principal, builders.now(), by=PLATFORM)
    app = create_app(pool=pool, kinds=builders.KINDS, now=builders.now, beyond_loopback=True)

    async with serving(app) as url, opened(browser, url, link, "en-GB") as page:
        await page.get_by_role("link", name="All", exact=True).click()
        await expect(page.locator(".orders .order")).to_have_count(2)
        await page.locator("select[name=person]").select_option("nobody")
        await expect(page.locator(".order .what")).to_have_text(["paint <b>it</b>"])
        assert page.url.endswith("/work?all=1&person=nobody")
        await page.locator(f"[data-focus='order {free.id}']").click()
        await page.get_by_role("button", name="Give to …").click()
        await page.locator("dialog select[name=assignee]").select_option("rima")
        await page.get_by_role("button", name="Give", exact=True).click()
        await expect(page.locator(".facts")).to_contain_text("rima")

        await page.go_back()
        await expect(page.locator(".orders .empty")).to_be_visible()
        await page.goto(f"{url}/work/{given}")
        await page.get_by_role("button", name="Cancel the order").click()
        await page.locator("dialog textarea").fill("twice the same")
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator(".tags")).to_contain_text("Cancelled")

    states = await connection.fetch("SELECT state FROM work_order ORDER BY id")
    assert [row["state"] for row in states] == ["cancelled", "assigned"]
