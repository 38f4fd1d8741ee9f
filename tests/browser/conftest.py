"""A home with a real server, a simulated Aura and Chromium, at a weekday peak hour."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.harness.charger import Charger
from tests.harness.moments import recent_peak_hour
from tests.harness.server import Client, Server

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# A machine with two busy cores is slower than a person's patience.
PATIENCE_MS = 20_000


@dataclass(frozen=True)
class Home:
    """Alice's home: its server, her sign-in, and her Aura."""

    server: Server
    email: str
    password: str
    site: str
    charge_point: dict[str, Any]
    aura: Charger

    @cached_property
    def client(self) -> Client:
        """REST as Alice."""
        return self.server.client(self.server.command("add_api_key", self.email, "--json")["key"])

    @property
    def hours(self) -> dict[str, Any]:
        """The default charging hours and what Alice chose."""
        hours: dict[str, Any] = self.client.get(f"sites/{self.site}/default-hours")
        return hours

    def choose(self, choice: str) -> None:
        """Choose the default charging hours without the app."""
        status, answer = self.client.request("PUT", f"sites/{self.site}/default-hours", {"choice": choice})
        assert status == 200, answer

    @property
    def sockets(self) -> list[str]:
        """The ids of the Aura's connectors."""
        found = self.client.get(f"charge-points/{self.charge_point['id']}")["connectors"]
        return [each["id"] for each in sorted(found, key=lambda each: each["number"])]

    def clear(self) -> None:
        """No rules, no pause, nothing to be ready by, and the preset accepted."""
        for socket in self.sockets:
            for schedule in self.client.get(f"connectors/{socket}/schedules")["results"]:
                self.client.request("DELETE", f"connectors/{socket}/schedules/{schedule['id']}")
            self.client.request("DELETE", f"connectors/{socket}/pause")
            self.client.request("DELETE", f"connectors/{socket}/ready-by")
        if self.hours["choice"] != "accepted" or self.hours["due"]:
            self.choose("accepted")


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def furnished_home() -> Iterator[Home]:
    """Wednesday 17:30 in London, where the preset hours say wait."""
    with Server(at=recent_peak_hour()) as server:
        alice = server.command("add_person", "alice@example.com", "--name", "Alice", "--home", "Home", "--json")
        charge_point = server.command("add_charge_point", "AURA-1", "--json")
        with Charger(
            url=server.charger_url,
            identity="AURA-1",
            key_hex=charge_point["key_hex"],
            authority=server.authority,
            arguments=["--first-retry", "1", "--longest-retry", "2"],
        ) as aura:
            home = Home(server, alice["email"], alice["password"], alice["site"], charge_point, aura)
            # Claimed over REST: commands do not know the server's moved clock, and the claim must precede the choice.
            home.client.post("charge-points", {"identity": "AURA-1", "claim_code": charge_point["claim_code"]})
            aura.wait_online()
            # As at most homes: whoever plugs in may charge.
            home.client.request("PATCH", f"charge-points/{charge_point['id']}", {"free_charging": True})
            home.choose("accepted")
            yield home


@pytest.fixture
def home(furnished_home: Home) -> Iterator[Home]:
    """The home as each test finds and leaves it: online, nothing plugged in, the preset hours and no others."""
    yield furnished_home
    furnished_home.clear()
    aura = furnished_home.aura
    aura.do("network", state="up")
    for outlet in aura.state["outlets"]:
        if outlet["plugged"]:
            aura.do("unplug", connector=outlet["number"])
    aura.wait_online(seconds=60)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page in a browser of its own (another phone); what its console complains of fails the test."""
    contexts = []
    complaints: list[str] = []

    def open_(url: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": PHONE, "locale": "en-GB", **options})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        return page

    yield open_
    for context in contexts:
        context.close()
    # The browser itself reports refused requests and lost networks, which tests bring about on purpose.
    unexpected = [text for text in complaints if "Failed to load resource" not in text and "WebSocket" not in text]
    assert not unexpected


def sign_in(page: Page, home: Home, *, see: str = "socket-1") -> None:
    page.get_by_label("Email").fill(home.email)
    page.get_by_label("Password", exact=True).fill(home.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_test_id(see)).to_be_visible()


@pytest.fixture
def alice_at_home(home: Home, open_page: Callable[..., Page]) -> Page:
    """Alice's phone, signed in and on the first screen."""
    page = open_page(home.server.url)
    sign_in(page, home)
    return page


@pytest.fixture
def pictures() -> Path:
    """Where tests leave what they saw."""
    folder = Path(__file__).parents[2] / "build" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
