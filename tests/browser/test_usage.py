"""What was used: a session by the simulated Aura, its curve, a download, and what it cost."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Home, sign_in
from tests.browser.test_app import look
from tests.harness.processes import wait_until


def charge_a_little(home: Home, *, wh: int = 30) -> str:
    """Charge on socket 1, unplug, and return the session's id."""
    before = {each["id"] for each in home.client.get("usage/sessions")["results"]}
    home.aura.do("plug", connector=1, car={"soc": 0.4})
    home.client.post(f"connectors/{home.sockets[0]}/charge-now", {})

    def ours() -> dict[str, object] | None:
        return next((each for each in home.client.get("usage/sessions")["results"] if each["id"] not in before), None)

    def charged() -> bool:
        session = ours()
        return session is not None and int(str(session["energy_import_wh"])) >= wh

    wait_until(charged, seconds=120, what="energy in a session")
    home.aura.do("unplug", connector=1)
    wait_until(lambda: (ours() or {}).get("stopped") is not None, seconds=60, what="the session's end")
    session = ours()
    assert session is not None
    return str(session["id"])


@pytest.mark.requirement("R9-1")
def test_a_session_is_listed_with_its_energy_and_its_page_shows_the_curve(home: Home, alice_at_home: Page) -> None:
    page = alice_at_home
    session = home.client.get(f"usage/sessions/{charge_a_little(home)}")
    energy = f"{session['energy_import_wh'] / 1000:.2f}"
    page.get_by_role("link", name="Usage").click()
    page.get_by_role("radio", name="Session").check()
    row = page.get_by_test_id(f"session-{session['id']}")
    expect(row.get_by_role("cell").first).to_have_text(energy)
    # Bars are read out by keys, and say what the table says.
    bars = page.get_by_role("slider", name=re.compile("^Bars: Energy"))
    bars.focus()
    page.keyboard.press("End")
    expect(bars).to_have_attribute("aria-valuetext", re.compile(re.escape(f"{energy} kWh")))

    row.get_by_role("link").click()
    expect(page.get_by_test_id("session-energy")).to_contain_text(energy)
    expect(page.get_by_test_id("session-quality")).to_have_attribute("data-exact", "true")
    curve = page.get_by_role("slider", name="Power over time")
    expect(curve).to_be_visible()
    curve.focus()
    page.keyboard.press("ArrowRight")
    expect(curve).to_have_attribute("aria-valuetext", re.compile(r"^\d\d:\d\d:\d\d: (\d+\.\d+ kW|no reading)"))
    page.get_by_text("Read as a table").click()
    expect(page.get_by_role("table", name="Power over time").get_by_role("row").nth(1)).to_be_visible()


def test_the_curve_grows_while_the_chargers_page_is_open(home: Home, alice_at_home: Page) -> None:
    page = alice_at_home
    home.aura.do("plug", connector=1, car={"soc": 0.4})
    home.client.post(f"connectors/{home.sockets[0]}/charge-now", {})
    with page.expect_request(re.compile(f"/connectors/{home.sockets[0]}/watch$"), timeout=90_000):
        page.goto(f"{home.server.url}/chargers/{home.charge_point['id']}")
    curve = page.get_by_test_id("live-power")
    expect(curve).to_be_visible(timeout=60_000)

    def points() -> int:
        return int(curve.get_attribute("data-points") or 0)

    before = points()
    # Each second once the charger was told: unwatched it would be 2 in these 20 s.
    wait_until(lambda: points() >= before + 10, seconds=60, what="readings in the curve")


def test_a_price_is_set_and_a_session_has_its_cost_and_can_be_downloaded(
    home: Home, alice_at_home: Page, tmp_path: Path
) -> None:
    page = alice_at_home
    page.get_by_role("link", name="Account").click()
    page.get_by_role("link", name=re.compile("Price per kWh")).click()
    save = page.get_by_role("button", name="Save")
    save.click()
    price = page.get_by_label("Price of one kWh, in pence")
    expect(price).to_have_attribute("aria-invalid", "true")
    price.fill("250")
    save.click()
    expect(page.get_by_test_id("price-now")).to_contain_text("Now 250p per kWh")

    path = f"usage/sessions/{charge_a_little(home)}"
    # A session is priced when it has been counted to its end.
    wait_until(lambda: home.client.get(path)["cost"] is not None, seconds=60, what="a cost")
    session = home.client.get(path)
    page.goto(f"{home.server.url}/usage?group=session")
    row = page.get_by_test_id(f"session-{session['id']}")
    expect(row).to_contain_text(f"£{session['cost']['amount']}")
    page.get_by_role("button", name="CSV").click()
    ready = page.get_by_test_id("download").first
    expect(ready).to_have_attribute("data-state", "ready", timeout=60_000)
    with page.expect_download() as download:
        ready.get_by_role("link").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    with file.open(newline="", encoding="utf-8-sig") as text:
        found = [line for line in csv.reader(text) if session["id"] in line]
    assert len(found) == 1
    assert str(session["energy_import_wh"]) in found[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_screens_of_usage_are_accessible(
    home: Home, open_page: Callable[..., Page], pictures: Path, viewport: dict[str, int], scheme: str
) -> None:
    sessions = home.client.get("usage/sessions?limit=1")["results"]
    session = sessions[0]["id"] if sessions else charge_a_little(home)
    page = open_page(home.server.url, viewport=viewport, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    name = f"{'phone' if viewport == PHONE else 'desktop'}-{scheme}"
    sign_in(page, home)
    findings = {}
    for screen, path, seen in (
        ("usage", "/usage?group=session", "usage-table"),
        ("usage-months", "/usage?period=last_12_months", "usage-table"),
        ("usage-empty", "/usage?period=custom&from=2020-01-01&to=2020-01-31", "usage-empty"),
        ("usage-session", f"/usage/{session}", "session-quality"),
        ("site-price", f"/sites/{home.site}/price", "site-price"),
    ):
        page.goto(home.server.url + path)
        expect(page.get_by_test_id(seen)).to_be_visible()
        page.wait_for_load_state("networkidle")
        findings[screen] = look(page, pictures / f"{screen}-{name}.png")
    assert not any(findings.values()), findings
