"""Lighthouse in the system's Chromium."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserType

from tests.harness.processes import free_port


def audit(
    chromium: BrowserType, path: str, tools: Path, pages: Sequence[str], *, cookies: str = ""
) -> dict[str, dict[str, Any]]:
    """Scores of 100 by category, and what was found wanting, for each page."""
    port = free_port()
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", f"--remote-debugging-port={port}"]
    browser = chromium.launch(executable_path=path, args=arguments)
    try:
        done = subprocess.run(
            ["node", "audit.mjs", str(port), cookies, *pages],
            cwd=tools,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    finally:
        browser.close()
    assert done.returncode == 0, done.stderr
    scores: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return scores
