"""Lighthouse's opinion of every screen. Its performance score depends on the machine, so it is only printed."""

import json
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.conftest import Home
from tests.browser.lighthouse import audit


def test_lighthouse_finds_little_to_better(
    home: Home, alice_at_home: Page, chromium: str, node_tools: Path, pictures: Path
) -> None:
    context = alice_at_home.context
    cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in context.cookies())
    kind = context.browser.browser_type if context.browser else None
    assert kind is not None
    paths = ("/", f"/chargers/{home.charge_point['id']}", "/add", "/account")
    scores = audit(kind, chromium, node_tools, [f"{home.server.url}/sign-in"])
    scores |= audit(kind, chromium, node_tools, [home.server.url + path for path in paths], cookies=cookies)
    (pictures / "lighthouse.json").write_text(json.dumps(scores, indent=2))
    for url, score in scores.items():
        print(url, score)
        for category in ("accessibility", "best-practices", "seo"):
            assert score[category] >= 95, (url, score)
