"""A person who has a new charger is asked about its charging hours before anything else."""

import re
from collections.abc import Callable
from itertools import count

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Home, sign_in
from tests.harness.processes import wait_until

numbers = count(1)


@pytest.fixture
def asked(home: Home, open_page: Callable[..., Page]) -> Page:
    """Alice's phone, signed in after she has claimed another charger."""
    added = home.server.command("add_charge_point", f"AURA-NEW-{next(numbers)}", "--json")
    home.client.post("charge-points", {"identity": added["identity"], "claim_code": added["claim_code"]})
    assert home.hours["due"]
    page = open_page(home.server.url)
    sign_in(page, home, see="first-use")
    return page


def test_three_equal_choices_and_what_holds_until_one_is_made(home: Home, asked: Page) -> None:
    expect(asked.get_by_test_id("first-use")).to_contain_text("Until you choose, these hours hold")
    for size in (PHONE, DESKTOP):
        asked.set_viewport_size({"width": size["width"], "height": size["height"]})
        boxes = [asked.get_by_test_id(f"choice-{each}").bounding_box() for each in ("accepted", "changed", "removed")]
        assert len({(box["width"], box["height"]) for box in boxes if box}) == 1
    assert home.hours["in_force"] == "preset"


def test_keeping_the_preset(home: Home, asked: Page) -> None:
    asked.get_by_test_id("choice-accepted").click()
    expect(asked.get_by_role("heading", name="AURA-1", exact=True)).to_be_visible()
    hours = home.hours
    assert (hours["choice"], hours["due"]) == ("accepted", False)
    assert hours["windows"] == hours["preset"]


def test_changing_it_warns_of_the_peaks_and_does_not_refuse(home: Home, asked: Page) -> None:
    asked.get_by_test_id("choice-changed").click()
    asked.get_by_role("button", name="Wednesday", exact=True).click()
    asked.get_by_label("To next day").fill("08:30")
    expect(asked.get_by_test_id("peak-warning")).to_contain_text("30 min a week lie in the peaks: Thu 08:00–08:30")
    asked.get_by_role("button", name="Save").click()
    expect(asked.get_by_role("heading", name="AURA-1", exact=True)).to_be_visible()
    hours = home.hours
    assert hours["choice"] == "changed"
    assert {"days": ["wednesday"], "start": "22:00", "end": "08:30"} in hours["windows"]


def test_removing_it_says_what_that_means(home: Home, asked: Page) -> None:
    asked.get_by_test_id("choice-removed").click()
    dialog = asked.get_by_role("dialog")
    expect(dialog).to_contain_text(re.compile("as soon as they are plugged in.*random delay"))
    dialog.get_by_role("button", name="Keep the hours").click()
    assert home.hours["due"]
    asked.get_by_test_id("choice-removed").click()
    dialog.get_by_role("button", name="Charge at any time").click()
    expect(asked.get_by_role("heading", name="AURA-1", exact=True)).to_be_visible()
    wait_until(lambda: home.hours["choice"] == "removed", seconds=10, what="the choice")


def test_deciding_later_leaves_the_preset_and_a_reminder(home: Home, asked: Page) -> None:
    asked.get_by_role("button", name="Decide later").click()
    expect(asked.get_by_role("heading", name="AURA-1", exact=True)).to_be_visible()
    assert home.hours["due"]
    asked.get_by_role("link", name="Choose your charging hours").click()
    asked.get_by_test_id("choice-accepted").click()
    expect(asked.get_by_test_id("choice")).to_have_attribute("data-choice", "accepted")
