"""The app itself: signing in, working without a network, adding a charger, and being usable by everyone."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Home, sign_in

AXE = Path(__file__).parents[1] / "node" / "node_modules" / "axe-core" / "axe.min.js"


def test_a_wrong_password_is_refused_in_plain_words(home: Home, open_page: Callable[..., Page]) -> None:
    page = open_page(home.server.url)
    page.get_by_label("Email").fill(home.email)
    page.get_by_label("Password", exact=True).fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(re.compile("don.t match|do not match"))).to_be_visible()
    sign_in(page, home)


def test_without_a_network_the_app_shows_the_last_known_state_and_its_age(home: Home, alice_at_home: Page) -> None:
    page = alice_at_home
    home.aura.do("plug", connector=1, car={"soc": 0.4})
    expect(page.get_by_test_id("socket-1-state")).to_have_text(re.compile("Waiting"))
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_test_id("offline-banner")).to_contain_text("offline")
    expect(page.get_by_test_id("offline-banner")).to_contain_text(re.compile("ago|just now"))
    expect(page.get_by_test_id("socket-1-state")).to_have_text(re.compile("Waiting"))
    for button in page.get_by_test_id("socket-1").get_by_role("button").all():
        expect(button).to_be_disabled()
    page.context.set_offline(False)
    expect(page.get_by_test_id("offline-banner")).to_have_count(0, timeout=40_000)


def test_signing_out_leaves_nothing_personal_on_the_device(home: Home, alice_at_home: Page) -> None:
    page = alice_at_home
    page.goto(f"{home.server.url}/account")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Email")).to_be_visible()
    kept = page.evaluate(
        """async () => {
            const parts = [JSON.stringify(localStorage), JSON.stringify(sessionStorage)];
            for (const name of await caches.keys()) {
                const cache = await caches.open(name);
                for (const request of await cache.keys()) {
                    parts.push(request.url, await (await cache.match(request)).text());
                }
            }
            const found = await indexedDB.databases();
            return parts.join(' ') + JSON.stringify(found);
        }"""
    )
    for personal in (home.email, "AURA-1", home.charge_point["id"], home.site):
        assert personal not in kept


def test_the_schedule_is_shown_as_on_the_charger_once_the_charger_proved_it(home: Home, alice_at_home: Page) -> None:
    page = alice_at_home
    page.goto(f"{home.server.url}/chargers/{home.charge_point['id']}")
    expect(page.get_by_test_id("schedule-on-charger")).to_have_attribute("data-state", "verified", timeout=40_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_screen_is_accessible(
    home: Home, open_page: Callable[..., Page], pictures: Path, viewport: dict[str, int], scheme: str
) -> None:
    page = open_page(home.server.url, viewport=viewport, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    name = f"{'phone' if viewport == PHONE else 'desktop'}-{scheme}"
    expect(page.get_by_label("Email")).to_be_visible()
    findings = {"sign-in": look(page, pictures / f"sign-in-{name}.png")}
    sign_in(page, home)
    home.aura.do("plug", connector=1, car={"soc": 0.4})
    expect(page.get_by_test_id("socket-1-state")).to_have_text(re.compile("Waiting"))
    findings["home"] = look(page, pictures / f"home-{name}.png")
    for screen, path in (
        ("charger", f"/chargers/{home.charge_point['id']}"),
        ("hours", f"/chargers/{home.charge_point['id']}/hours"),
        ("rule", f"/chargers/{home.charge_point['id']}/hours/new-hours"),
        ("site-hours", f"/sites/{home.site}/hours"),
        ("add", "/add"),
        ("account", "/account"),
    ):
        page.goto(home.server.url + path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_load_state("networkidle")
        findings[screen] = look(page, pictures / f"{screen}-{name}.png")
    assert not any(findings.values()), findings


def look(page: Page, picture: Path) -> list[str]:
    """Take a picture and return what axe finds against WCAG 2.2 AA."""
    page.wait_for_timeout(300)
    page.screenshot(path=picture, full_page=True)
    page.add_script_tag(path=AXE)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    result = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", tags)
    return [f"{finding['id']}: {finding['nodes'][0]['html'][:200]}" for finding in result["violations"]]
