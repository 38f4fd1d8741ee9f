"""A person at home on a weekday evening: the screen says only what the charger said."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Home, sign_in
from tests.harness.processes import wait_until

WAITING = re.compile("Waiting for schedule", re.IGNORECASE)
CHARGING = re.compile("^Charging", re.IGNORECASE)


def plug_in(home: Home) -> None:
    home.aura.do("plug", connector=1, car={"soc": 0.4})


def drawn_a(home: Home) -> float:
    """What really flows into the car on socket 1."""
    return max(home.aura.state["outlets"][0]["current_a"], default=0.0)


def starts_sent(home: Home) -> list[dict[str, Any]]:
    """The frames by which the charger was told to charge now."""
    trace = home.client.get(f"charge-points/{home.charge_point['id']}/trace?limit=200")["results"]
    return [
        frame
        for frame in trace
        if frame["direction"] == "out"
        and (
            frame["action"] == "RemoteStartTransaction"
            or (frame["action"] == "SetChargingProfile" and '"TxProfile"' in frame["frame"])
        )
    ]


@pytest.mark.requirement("R10-9")
@pytest.mark.requirement("R10-10")
def test_a_car_in_a_peak_hour_waits_until_its_owner_says_charge_now(home: Home, alice_at_home: Page) -> None:
    page = alice_at_home
    state, reason = page.get_by_test_id("socket-1-state"), page.get_by_test_id("socket-1-reason")
    expect(page.get_by_test_id("socket-2-state")).to_have_text(re.compile("Ready"))
    plug_in(home)

    expect(state).to_have_text(WAITING)
    expect(page.get_by_test_id("socket-1")).to_contain_text("22:00")
    expect(reason).to_contain_text("off-peak")
    assert drawn_a(home) == 0

    page.get_by_test_id("socket-1").get_by_role("button", name="Charge now").click()
    expect(page.get_by_test_id("socket-1-command")).to_be_visible()
    expect(state).to_have_text(CHARGING)
    expect(page.get_by_test_id("socket-1")).to_contain_text(re.compile(r"[1-9]\d*\.\d\s*kW"), timeout=40_000)
    assert drawn_a(home) >= 6

    page.get_by_test_id("socket-1").get_by_role("button", name="Wait for schedule").click()
    expect(state).to_have_text(WAITING, timeout=40_000)
    assert drawn_a(home) == 0


def test_stop_ends_the_session(home: Home, alice_at_home: Page) -> None:
    page = alice_at_home
    plug_in(home)
    page.get_by_test_id("socket-1").get_by_role("button", name="Charge now").click()
    expect(page.get_by_test_id("socket-1-state")).to_have_text(CHARGING, timeout=40_000)
    page.get_by_test_id("socket-1").get_by_role("button", name="Stop").click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("Stop")).click()
    expect(page.get_by_test_id("socket-1-state")).not_to_have_text(CHARGING, timeout=40_000)
    home.aura.wait(lambda aura: aura["outlets"][0]["transaction"] is None)


def test_two_taps_on_two_phones_act_once(home: Home, alice_at_home: Page, open_page: Callable[..., Page]) -> None:
    other = open_page(home.server.url)
    sign_in(other, home)
    sent_before = len(starts_sent(home))
    plug_in(home)
    phones = [alice_at_home, other]
    buttons = [phone.get_by_test_id("socket-1").get_by_role("button", name="Charge now") for phone in phones]
    for button in buttons:
        expect(button).to_be_enabled()
    for button in buttons:
        button.evaluate("button => { button.click(); button.click() }")
    for phone in phones:
        expect(phone.get_by_test_id("socket-1-state")).to_have_text(CHARGING, timeout=40_000)
    # The trace is written a second later.
    wait_until(lambda: len(starts_sent(home)) > sent_before, seconds=10, what="the start in the trace")
    assert len(starts_sent(home)) == sent_before + 1


def test_a_charger_that_agrees_and_does_nothing_is_shown_as_such(home: Home, alice_at_home: Page) -> None:
    page = alice_at_home
    home.aura.do("plug", connector=1, car={"soc": 1.0})
    page.get_by_test_id("socket-1").get_by_role("button", name="Charge now").click()
    progress = page.get_by_test_id("socket-1-command")
    expect(progress).to_contain_text(re.compile("the car is not taking it"), timeout=120_000)


def test_a_charger_without_network_is_shown_offline_within_a_minute(home: Home, alice_at_home: Page) -> None:
    page = alice_at_home
    plug_in(home)
    expect(page.get_by_test_id("socket-1-state")).to_have_text(WAITING)
    home.aura.do("network", state="cut")
    expect(page.get_by_test_id("charger-offline")).to_contain_text("offline since", timeout=60_000)
    expect(page.get_by_test_id("socket-1").get_by_role("button", name="Charge now")).to_have_count(0)
    home.aura.do("network", state="up")
    expect(page.get_by_test_id("socket-1-state")).to_have_text(WAITING, timeout=120_000)
