"""An operator's shift at the alert desk, by mouse and by keyboard, in English and in Arabic."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import asyncpg
from playwright.async_api import Browser, Page, Route, expect

from alerts.transition import Severity
from people.editing import NewPerson, add_person
from people.identity import Grant
from people.roles import Role
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.api.builders import NOON
from tests.integration.console.pages import SENTENCE, opened
from tests.waiting import eventually

RUNBOOK = {"en": "Send the nearest crew.", "fr": "Envoyer l'équipe.", "ar": "أرسل أقرب طاقم."}
EVIDENCE = {"values": {"fill_pct": 91.5, 'frozen("24h")': 1.0}, "limits": {"volume_l": 1100}}
HEARD = """
window.heard = [];
window.Notification = class {
  static permission = "granted";
  static requestPermission = async () => "granted";
  constructor(title, { body }) { window.heard.push(`${title}: ${body}`); }
  close() {}
};
window.AudioContext = class { resume() { window.heard.push("sound"); } currentTime = 0; destination = null; };
window.OscillatorNode = class { connect(next) { return next; } start() {} stop() {} };
window.GainNode = window.OscillatorNode;
"""


async def district(connection: asyncpg.Connection) -> None:
    """Put every device into the district of the port."""
    await connection.execute(
        """
        WITH made AS (
            INSERT INTO ground_feature
                (municipality_id, layer, name, title, geometry, west, south, east, north,
                created_at, updated_at)
            SELECT id, 'districts', 'port', $1, '{}', 35, 34, 36, 35, $2, $2 FROM municipality
            RETURNING id
        )
        UPDATE device SET district_id = made.id, district_by_hand = true FROM made
        """,
        {"en": "Port", "fr": "Port", "ar": "الميناء"},
        NOON,
    )


async def summaries(page: Page, *devices: str) -> None:
    """Wait until the queue lists these alerts, in this order."""
    await expect(page.locator(".alert .summary")).to_have_text([re.compile(name) for name in devices])


async def test_operator_hears_understands_answers_and_hands_over(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    first, second, over = [
        await builders.add(connection, name, lat=34.43, lon=35.84) for name in ("bin-1", "bin-2", "bin-4")
    ]
    await district(connection)
    technician = [Grant(role=Role.TECHNICIAN, municipality="tripoli")]
    await add_person(connection, NewPerson(name="rima", grants=technician), builders.now(), by=PLATFORM)
    night = NOON.replace(hour=1)  # 3 o'clock in Tripoli
    ended = await builders.fire(connection, over, at=night, summary=SENTENCE)
    await builders.resolve(connection, over)
    await connection.execute(
        "UPDATE alert SET resolved_at = $2 WHERE id = $1", ended, night + timedelta(minutes=5)
    )
    await builders.fire(connection, second, severity=Severity.MINOR, summary=SENTENCE)

    async with opened(browser, server, script=HEARD) as page:
        await expect(page).to_have_title(re.compile(r"^\(1\)"))

        # Sound and notices are off until somebody wants them.
        await page.get_by_role("button", name="Muted").click()
        await page.get_by_role("checkbox", name="Sound for a new alert").check()
        await page.get_by_role("checkbox", name="Notice of the browser for a new alert").check()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("button", name="Sound on")).to_be_visible()

        # The worst comes first, the tab counts it, and it is heard.
        alert = await builders.fire(
            connection,
            first,
            rule="bin-full",
            severity=Severity.CRITICAL,
            at=NOON - timedelta(minutes=9),
            summary=SENTENCE,
            evidence=EVIDENCE,
        )
        await connection.execute(
            "UPDATE rule SET definition = jsonb_build_object('runbook', $1::jsonb) WHERE id = 'bin-full'",
            RUNBOOK,
        )
        await summaries(page, "bin-1", "bin-2")
        await expect(page).to_have_title(re.compile(r"^\(2\)"))
        heard = await page.evaluate("window.heard")
        assert "sound" in heard
        assert "Critical: Bin bin-1 is 91 % full" in heard

        # One alert explained.
        await page.locator(".alert .summary").first.click()
        pane = page.locator("#explained")
        await expect(pane.locator("h2")).to_have_text("Bin bin-1 is 91 % full")
        assert page.url == f"{server}/alerts/{alert}"
        await expect(pane.locator(".runbook")).to_have_text("Send the nearest crew.")
        await expect(pane.locator(".address")).to_contain_text("Port")
        await expect(pane.get_by_role("link", name="Directions")).to_have_attribute(
            "href", re.compile("^geo:34.43,35.84")
        )
        await expect(pane.locator(".reasons")).to_contain_text("values do not move: yes")
        await expect(pane.locator(".events li")).to_contain_text(["Opened observed"])

        # Seen, and taken back; then given to somebody, who is told of it in the time line.
        await pane.get_by_role("button", name="Acknowledge").click()
        await expect(pane.locator(".who-has")).to_contain_text("operator")
        await expect(page.locator(".alert.seen")).to_have_count(1)
        await page.locator(".toast button", has_text="Undo").click()
        await expect(page.locator(".alert.seen")).to_have_count(0)
        await pane.get_by_role("button", name="Assign…").click()
        await page.get_by_role("radio", name="rima").check()
        await page.get_by_role("button", name="Assign", exact=True).click()
        await expect(pane.locator(".who-has")).to_contain_text("rima")
        await expect(pane.locator(".events")).to_contain_text("Assigned to \u2068rima")

        # A crew is sent.
        await pane.get_by_role("button", name="Send a crew…").click()
        await page.get_by_role("button", name="Make the work order").click()
        await expect(pane.locator(".who-has a")).to_have_text(re.compile("Work order"))
        await expect(pane.locator(".events")).to_contain_text("made by \u2068operator")

        # The district is silent until morning.
        await pane.get_by_role("button", name="Silence…").click()
        await page.get_by_role("radio", name="The whole district").check()
        await page.get_by_role("radio", name="until morning").check()
        await page.get_by_role("textbox", name="Why").fill("street market")
        await page.get_by_role("button", name="Silence", exact=True).click()
        await expect(pane.locator(".who-has")).to_contain_text("Silenced until")
        [said] = await connection.fetch("SELECT district, until_at, reason FROM silence")
        assert (said["district"], said["reason"]) == ("port", "street market")
        assert said["until_at"].minute == 0

        # Yesterday at 3 in the morning: an alert that has ended.
        await pane.get_by_role("link", name="Close").click()
        at = night.isoformat().replace("+00:00", "Z")
        await page.goto(
            f"{server}/?from={at}&until={(night + timedelta(minutes=1)).isoformat().replace('+00:00', 'Z')}"
        )
        await summaries(page, "bin-4")
        await expect(page.locator("[name=from]")).to_have_value(re.compile("T03:00$"))
        await page.get_by_role("button", name="Details").click()
        await expect(page.locator("#explained .events")).to_contain_text("Resolved by readings")

        # What happened since then, for the next shift.
        await page.goto(f"{server}/?handover={at}")
        await expect(page.locator("#handover h3")).to_have_text(
            ["Still open 2", "Opened 3", "Seen 0", "Ended 1"]
        )


async def test_operator_works_by_keyboard_alone_in_arabic(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    for name, severity in (
        ("bin-1", Severity.MINOR),
        ("bin-2", Severity.CRITICAL),
        ("bin-3", Severity.MAJOR),
    ):
        device = await builders.add(connection, name, title=f"شارع عزمي {name[-1]}")
        await builders.fire(connection, device, severity=severity, summary=SENTENCE)

    async with opened(browser, server, locale="ar-LB") as page:
        press = page.keyboard.press
        await summaries(page, "bin-2", "bin-3", "bin-1")

        # What there is to press, then the first two alerts at once, and back again.
        await press("?")
        await expect(page.locator("dialog kbd")).to_have_count(12)
        await press("Escape")
        await press("j")
        await press("x")
        await press("j")
        await press("x")
        await expect(page.locator("#bulk b")).to_have_text("اثنان مختاران")

        # Both are silenced, not the first alone; and heard again.
        await press("s")
        await expect(page.locator("dialog .choice").first).to_contain_text("جهازا التنبيهات المختارة")
        await page.keyboard.type("سوق")
        await press("Enter")
        await expect(page.locator(".alert.seen")).to_have_count(2)
        await press("u")
        await expect(page.locator(".alert.seen")).to_have_count(0)
        await press("a")
        await expect(page.locator(".alert.seen")).to_have_count(2)
        await expect(page.locator("#count-unseen dd")).to_have_text("١")
        await expect(page.locator(".toast button")).to_be_visible()
        await press("u")
        await expect(page.locator(".alert.seen")).to_have_count(0)
        await press("Escape")
        await expect(page.locator("#bulk")).to_be_hidden()

        # A street in Arabic digits.
        await press("/")
        await page.keyboard.type("عزمي ٣")
        await summaries(page, "bin-3")
        assert "words=" in page.url
        await page.locator("[name=words]").blur()

        # One opened, and told about; letters are those of the key also where it writes Arabic ones.
        await press("j")
        await press("Enter")
        await expect(page.locator("#explained h2")).to_contain_text("bin-3")
        await press("c")
        await expect(page.locator("#explained .say input")).to_be_focused()
        await page.keyboard.type("<b>الفريق</b> في الطريق")
        await press("Enter")
        await expect(page.locator(".events q")).to_have_text("<b>الفريق</b> في الطريق")
        await expect(page.locator("#explained .say input")).to_have_value("")
        await page.locator("#explained .say input").blur()
        await press("s")
        await expect(page.locator("dialog input[name=reason]")).to_be_focused()
        await page.keyboard.type("سوق الشارع")
        await press("Enter")
        await expect(page.locator("#explained .who-has")).to_contain_text("مُسكَت")
        await page.locator("#explained .say input").blur()
        await press("Escape")
        await expect(page.locator("#explained")).to_be_hidden()


async def test_keys_pressed_while_a_window_is_on_its_way_open_no_other(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    await builders.fire(connection, device, summary=SENTENCE)
    pressed = asyncio.Event()

    async def answer(route: Route) -> None:
        await pressed.wait()
        await route.continue_()

    async with opened(browser, server, route=("**/silencing.js*", answer)) as page:
        await summaries(page, "bin-1")
        for key in ("j", "s", "s", "w", "s"):
            await page.keyboard.press(key)
        pressed.set()
        await expect(page.locator("dialog input[name=reason]")).to_be_focused()
        await page.keyboard.type("street market")
        await page.keyboard.press("Enter")

        await expect(page.locator(".toast button")).to_be_visible()
        await expect(page.locator("dialog")).to_have_count(0)
        assert await connection.fetchval("SELECT count(*) FROM silence") == 1

        # A list of keys that was asked for meanwhile stays alone, and the window can be asked for again.
        people = asyncio.Event()

        async def later(route: Route) -> None:
            await people.wait()
            await route.continue_()

        await page.route("**/people", later)
        await page.keyboard.press("j")
        await page.keyboard.press("w")
        await page.keyboard.press("?")
        await expect(page.locator("dialog kbd").first).to_be_visible()
        async with page.expect_response("**/people"):
            people.set()
        # What is fetched after it is read after it.
        await page.evaluate("async () => (await fetch('/api/v1/teams')).text()")
        await page.keyboard.press("Escape")
        await expect(page.locator("dialog")).to_have_count(0)
        made = page.get_by_role("button", name="Make the work order")

        async def asked_again() -> bool:
            # Does nothing while the one before is still on its way.
            await page.keyboard.press("j")
            await page.keyboard.press("w")
            return await made.is_visible()

        await eventually(asked_again)
