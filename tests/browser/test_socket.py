"""What a socket says and does beyond charging now: delays, amounts, ready by, pauses, and the day ahead."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Home

WAITING = re.compile("Waiting for schedule")
CHARGING = re.compile("^Charging")


def plug_in(home: Home) -> None:
    home.aura.do("plug", connector=1, car={"soc": 0.4})


def test_a_delay_counts_down_and_can_be_skipped(home: Home, alice_at_home: Page) -> None:
    page = alice_at_home
    # Without hours a car plugged in starts after its delay alone.
    home.choose("removed")
    plug_in(home)
    socket, state = page.get_by_test_id("socket-1"), page.get_by_test_id("socket-1-state")
    expect(state).to_have_text("Random delay", timeout=40_000)
    expect(socket).to_contain_text(re.compile(r"(\d+ min )?\d+ s left"))
    socket.get_by_role("button", name="Skip the delay").click()
    expect(state).to_have_text(CHARGING, timeout=40_000)


def test_charge_now_for_an_amount_of_energy(home: Home, alice_at_home: Page) -> None:
    page = alice_at_home
    plug_in(home)
    socket = page.get_by_test_id("socket-1")
    socket.get_by_role("button", name="How long?").click()
    page.get_by_role("dialog").get_by_role("button", name="10 kWh").click()
    expect(page.get_by_test_id("socket-1-asked")).to_contain_text("You asked: 10 kWh", timeout=40_000)
    expect(page.get_by_test_id("socket-1-asked")).to_contain_text("kWh delivered so far")
    socket.get_by_role("button", name="Wait for schedule").click()
    expect(page.get_by_test_id("socket-1-state")).to_have_text(WAITING, timeout=40_000)
    expect(page.get_by_test_id("socket-1-asked")).to_have_count(0)


def test_charge_now_for_a_time_of_ones_own(home: Home, alice_at_home: Page) -> None:
    page = alice_at_home
    plug_in(home)
    page.get_by_test_id("socket-1").get_by_role("button", name="How long?").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Your own amount").click()
    dialog.get_by_label("Unit").select_option("hours")
    dialog.get_by_label("Amount").fill("30")
    dialog.get_by_role("button", name="Charge now").click()
    expect(dialog).to_contain_text("Between 15 minutes and 24 hours")
    dialog.get_by_label("Amount").fill("1.5")
    dialog.get_by_role("button", name="Charge now").click()
    expect(page.get_by_test_id("socket-1-asked")).to_contain_text("You asked: 1 h 30 min, until", timeout=40_000)


def test_ready_by_answers_at_once_and_says_how_much_is_missing(home: Home, alice_at_home: Page) -> None:
    page = alice_at_home
    page.get_by_test_id("socket-1").get_by_role("button", name="Ready by").click()
    form, answer = page.get_by_test_id("ready-by-form"), page.get_by_test_id("ready-answer")
    energy = form.get_by_label("Energy to add")
    energy.fill("200")
    expect(answer).to_contain_text(re.compile(r"Not quite: it will be \d+(\.\d)? kWh short"))
    expect(answer).to_contain_text("more charging hours would help")
    energy.fill("10")
    expect(answer).to_contain_text("Yes: it will be ready by")
    assert home.client.get(f"connectors/{home.sockets[0]}/ready-by")["ready_by"] is None
    form.get_by_role("button", name="Save").click()
    note = page.get_by_test_id("socket-1-ready-by")
    expect(note).to_contain_text("10 kWh by tomorrow 07:00")
    note.get_by_role("button", name="Change").click()
    form.get_by_role("button", name="Remove").click()
    expect(note).to_have_count(0)
    assert home.client.get(f"connectors/{home.sockets[0]}/ready-by")["ready_by"] is None


def test_a_holiday_pause_is_shown_on_the_socket_and_ended_there(home: Home, alice_at_home: Page) -> None:
    page = alice_at_home
    page.get_by_test_id("socket-1").get_by_role("button", name="Pause").click()
    form = page.get_by_test_id("pause-form")
    form.get_by_role("radio", name="Until I end it").check()
    form.get_by_role("button", name="Set the pause").click()
    for number in (1, 2):
        expect(page.get_by_test_id(f"socket-{number}-pause")).to_contain_text("until you end the pause")
    page.get_by_test_id("socket-1-pause").get_by_role("button", name="End pause").click()
    for number in (1, 2):
        expect(page.get_by_test_id(f"socket-{number}-pause")).to_have_count(0)


def test_the_day_ahead_can_be_read_by_keys_and_as_a_list(home: Home, alice_at_home: Page) -> None:
    socket = alice_at_home.get_by_test_id("socket-1")
    strip = socket.get_by_role("slider", name=re.compile("Next 24 hours"))
    expect(strip).to_have_attribute("aria-valuetext", re.compile(r"^(now|17:\d\d) to 22:00"))
    strip.focus()
    alice_at_home.keyboard.press("End")
    expect(strip).to_have_attribute("aria-valuetext", re.compile(r"tomorrow 07:(3\d|40)(:\d\d)? to"))
    socket.get_by_text("Read as a list").click()
    expect(socket.get_by_role("listitem").filter(has_text="22:00 to")).to_have_count(1)


def test_the_delay_is_explained_and_its_maximum_can_be_raised(home: Home, alice_at_home: Page) -> None:
    page = alice_at_home
    page.goto(f"{home.server.url}/chargers/{home.charge_point['id']}")
    page.get_by_text("Random delay", exact=True).click()
    expect(page.get_by_test_id("delay-maximum")).to_have_text("Up to 10 min each time")
    longest = page.get_by_label("Longest delay, in minutes")
    longest.fill("31")
    save = page.get_by_role("button", name="Save").first
    save.click()
    expect(longest).to_have_attribute("aria-invalid", "true")
    longest.fill("20")
    save.click()
    expect(page.get_by_test_id("delay-maximum")).to_have_text("Up to 20 min each time")
    home.client.request("PUT", f"sites/{home.site}/random-delay", {"maximum_s": 600})
