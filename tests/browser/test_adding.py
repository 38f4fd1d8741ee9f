"""Adding a charger takes proof that one has it in hands."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Home


@pytest.mark.requirement("S1-25")
def test_a_charger_is_added_with_its_claim_code_and_not_without(home: Home, alice_at_home: Page) -> None:
    page = alice_at_home
    second = home.server.command("add_charge_point", "AURA-2", "--json")
    page.get_by_role("link", name=re.compile("Add a charger")).click()
    page.get_by_label(re.compile("Identity", re.IGNORECASE)).fill("AURA-2")
    code = page.get_by_label(re.compile("Code", re.IGNORECASE))
    code.fill("0000-0000-0000-0000")
    page.get_by_role("radio", name=re.compile("Anyone who plugs in")).check()
    add = page.get_by_role("button", name=re.compile("^Add"))
    add.click()
    expect(page.get_by_text(re.compile("do not match|don.t match"))).to_be_visible()
    code.fill(second["claim_code"].lower().replace("-", " "))
    add.click()
    expect(page).to_have_url(re.compile(second["id"]))
    # Whoever has a new charger is asked about its hours first.
    page.get_by_test_id("choice-accepted").click()
    expect(page.get_by_text("AURA-2").first).to_be_visible()
