"""The editor of hours: by keys, by dragging and as plain times; and rules of a charger's own."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Home

WEDNESDAY = "Wednesday, 22:00 to 07:30 the next day"


@pytest.fixture
def editor(home: Home, alice_at_home: Page) -> Page:
    """The preset hours, opened to be changed."""
    page = alice_at_home
    page.goto(f"{home.server.url}/sites/{home.site}/hours")
    page.get_by_test_id("choice-changed").click()
    expect(bar(page, WEDNESDAY)).to_be_visible()
    return page


def bar(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def test_hours_can_be_changed_by_keys_alone_and_undone(editor: Page) -> None:
    bar(editor, WEDNESDAY).focus()
    editor.keyboard.press("ArrowRight")
    expect(bar(editor, "Wednesday, 22:15 to 07:45 the next day")).to_be_focused()
    editor.keyboard.press("Shift+ArrowRight")
    expect(bar(editor, "Wednesday, 22:15 to 08:00 the next day")).to_be_focused()
    expect(editor.get_by_test_id("peak-warning")).to_have_count(0)
    editor.keyboard.press("Shift+ArrowRight")
    expect(editor.get_by_test_id("peak-warning")).to_contain_text("15 min a week")
    undo = editor.get_by_role("button", name="Undo")
    undo.click()
    expect(bar(editor, WEDNESDAY)).to_be_visible()
    expect(undo).to_be_disabled()
    bar(editor, WEDNESDAY).focus()
    editor.keyboard.press("Delete")
    expect(bar(editor, WEDNESDAY)).to_have_count(0)
    editor.keyboard.press("Control+z")
    expect(bar(editor, WEDNESDAY)).to_be_visible()


def test_dragging_goes_in_quarters_of_an_hour_and_joins_what_overlaps(editor: Page) -> None:
    bar(editor, WEDNESDAY).click()
    handle = editor.get_by_role("slider", name="Start, Wednesday")
    expect(handle).to_have_attribute("aria-valuetext", "22:00")
    day = editor.get_by_role("button", name="Saturday, 00:00 to 24:00").bounding_box()
    box = handle.bounding_box()
    assert day
    assert box
    hour = day["width"] / 24
    # The handle's outer part belongs to it alone.
    x, y = box["x"] + 6, box["y"] + box["height"] / 2
    editor.mouse.move(x, y)
    editor.mouse.down()
    editor.mouse.move(x - 1.55 * hour, y, steps=4)
    editor.mouse.up()
    expect(bar(editor, "Wednesday, 20:30 to 07:30 the next day")).to_be_visible()
    # Thursday's hours begin where Wednesday's would end: they become one.
    editor.get_by_role("button", name="Thursday", exact=True).click()
    editor.get_by_role("button", name="Add hours").click()
    editor.get_by_label("From").last.fill("06:00")
    editor.get_by_label("To", exact=True).last.fill("09:00")
    editor.get_by_role("button", name="Undo").focus()
    expect(bar(editor, "Wednesday, 20:30 to 09:00 the next day")).to_be_visible()


def test_a_day_is_copied_to_others_and_saved(home: Home, editor: Page) -> None:
    editor.get_by_role("button", name="Saturday", exact=True).click()
    editor.get_by_label("From").fill("01:00")
    editor.get_by_label("To", exact=True).fill("05:00")
    editor.get_by_role("button", name="Copy this day").click()
    editor.get_by_role("button", name="Every day").click()
    editor.get_by_role("button", name="Copy", exact=True).click()
    editor.get_by_role("button", name="Save").click()
    expect(editor.get_by_test_id("choice")).to_have_attribute("data-choice", "changed")
    (window,) = home.hours["windows"]
    assert (len(window["days"]), window["start"], window["end"]) == (7, "01:00", "05:00")


def test_a_socket_has_hours_of_its_own_once_the_charger_has_them(home: Home, alice_at_home: Page) -> None:
    page = alice_at_home
    page.goto(f"{home.server.url}/chargers/{home.charge_point['id']}/hours")
    page.get_by_role("link", name=re.compile("Own hours\\s*: Socket 2")).click()
    expect(page.get_by_role("radio", name="Socket 2")).to_be_checked()
    page.get_by_role("button", name="Wednesday", exact=True).click()
    page.get_by_label("From").fill("21:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name=re.compile("Change\\s*: Socket 2"))).to_be_visible()
    (schedule,) = home.client.get(f"connectors/{home.sockets[1]}/schedules")["results"]
    assert (schedule["scope"], schedule["limit_a"]) == ("socket", None)
    expect(page.get_by_test_id("schedule-on-charger")).to_have_attribute("data-state", "verified", timeout=60_000)


def test_an_extra_rule_limits_the_charger_and_can_be_deleted(home: Home, alice_at_home: Page) -> None:
    page = alice_at_home
    page.goto(f"{home.server.url}/chargers/{home.charge_point['id']}/hours")
    page.get_by_role("link", name="Add a rule").click()
    page.get_by_role("radio", name="Charge with less").check()
    amperes = page.get_by_label("At most, in amperes")
    amperes.fill("5")
    page.get_by_role("button", name="Save").click()
    expect(amperes).to_have_attribute("aria-invalid", "true")
    amperes.fill("8")
    page.get_by_role("button", name="Add hours").click()
    page.get_by_label("Name").fill("Dinner")
    page.get_by_role("button", name="Save").click()
    rules = page.get_by_test_id("rules")
    expect(rules).to_contain_text("Dinner · At most 8 A · Both sockets")
    rules.get_by_role("link", name=re.compile("Change")).click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(rules).to_contain_text("No extra rules")


@pytest.mark.parametrize("path", ["", "/hours", "/hours/new-hours", "/hours/new-rule"])
def test_the_screens_fit_a_small_phone(
    home: Home, alice_at_home: Page, open_page: Callable[..., Page], path: str
) -> None:
    page = alice_at_home
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"{home.server.url}/chargers/{home.charge_point['id']}{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
