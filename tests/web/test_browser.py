"""The console in a real Chromium: it signs in, steps through the board by keys, and breaks none of its own rules."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import ConsoleMessage, Page, Request, async_playwright

from tests.hosting import RunningHost
from tests.web.test_incidents import listed, seen

CHROMIUM = os.environ.get("REGCERT_TEST_CHROMIUM", "/usr/bin/chromium")
# A browser that runs as root in a container, and asks nobody for anything but what the page asks for.
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"]  # fmt: skip
pytestmark = [
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no browser at {CHROMIUM}; name one in REGCERT_TEST_CHROMIUM"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


class Witness:
    """What a page complained about, and whom it asked."""

    def __init__(self, page: Page, own: str) -> None:
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        self._own = own
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._see)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _see(self, request: Request) -> None:
        if not request.url.startswith((self._own, "data:")):
            self.strangers.append(request.url)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield await browser.new_page()
        await browser.close()


async def overflow(page: Page) -> int:
    return int(await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


async def test_analyst_reads_the_board_when_only_the_keyboard_is_used(host: RunningHost, page: Page) -> None:
    """Sign in, see the incidents, `j` and Enter open the first, `b` leads back; nothing scrolls sideways on a phone."""
    for number in range(3):
        await seen(
            host, f"evil-{'x' * 50}-{number}.example", ("alcirt", "srb-cert", "kos-cert")[: 2 + number % 2], earlier=number
        )
    incidents = await listed(host, "alcirt")
    witness = Witness(page, host.url)
    await page.goto(host.url)
    await page.keyboard.press("Tab")  # the name has the focus already; behind password, code and button stands the other way in
    for _ in range(3):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.type(await host.token("alcirt"))
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{host.url}/console/")
    assert await page.locator("[data-row]").count() == len(incidents) == 3
    assert "Three incidents cross borders now" in await page.inner_text("h1")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{host.url}/console/incidents/{incidents[0]['id']}")
    assert incidents[0]["id"] in await page.inner_text("main")
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await overflow(page) <= 0
    await page.keyboard.press("b")
    await page.wait_for_url(f"{host.url}/console/")
    assert await overflow(page) <= 0
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url(f"{host.url}/console/sign-in")
    assert await overflow(page) <= 0
    assert (witness.complaints, witness.strangers) == ([], [])


async def test_page_runs_no_script_when_a_value_is_one(host: RunningHost, page: Page) -> None:
    """A value that is markup is shown as text; the policy would stop it, and nothing even tries."""
    await seen(host, "http://evil.example/?<img/src=x/onerror=document.title='owned'>", ("alcirt", "srb-cert"))
    (one,) = await listed(host, "alcirt")
    witness = Witness(page, host.url)
    await page.goto(f"{host.url}/console/sign-in")
    await page.get_by_text("Sign in with a token instead").click()
    await page.get_by_label("Your token").fill(await host.token("alcirt"))
    await page.get_by_role("button", name="Sign in with the token").click()
    await page.wait_for_url(f"{host.url}/console/")
    await page.goto(f"{host.url}/console/incidents/{one['id']}")
    assert await page.locator("main img").count() == 0
    assert "owned" not in (await page.title()).partition(" · ")[2]
    assert witness.complaints == []
