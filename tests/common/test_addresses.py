from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client

from chargeamps.accounts.models import User
from chargeamps.common import clock, health

pytestmark = pytest.mark.django_db


@pytest.fixture
def built(settings: Any, tmp_path: Path) -> Path:
    """A built app of one page."""
    (tmp_path / "index.html").write_text("<!doctype html><title>Aura</title>")
    settings.PWA_ROOT = tmp_path
    return tmp_path


@pytest.mark.parametrize("path", ["/", "/sign-in", "/add", "/chargers/8c1d", "/chargers/8c1d/", "/apiary", "/wsx"])
def test_every_page_of_the_app_is_its_shell(built: Path, path: str) -> None:
    response = Client().get(path)
    assert (response.status_code, response["Cache-Control"]) == (200, "no-cache")
    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "DENY"
    assert b"<title>Aura</title>" in response.content
    assert Client().head(path).status_code == 200
    assert Client().post(path).status_code in (403, 405)


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/ocpp",
        "/ocpp/AURA-0001",
        "/ws/live/",
        "/static/x.css",
        "/assets/gone-1234.js",
        "/icons/none.png",
        "/favicon.ico",
        "/wp-login.php",
        "/.env",
        "/.git/config",
        "/.well-known/other",
        "/healthz/x",
        "/chargers/../x.map",
    ],
)
def test_reserved_and_file_names_that_are_not_there_are_not_found(built: Path, path: str) -> None:
    response = Client().get(path)
    assert response.status_code == 404
    assert b"<title>Aura</title>" not in response.content


def test_before_the_app_is_built_a_page_says_what_to_do(settings: Any, tmp_path: Path) -> None:
    settings.PWA_ROOT = tmp_path / "none"
    response = Client().get("/")
    assert response.status_code == 503
    assert b"make setup" in response.content


def test_healthz_and_readyz() -> None:
    assert Client().get("/healthz").json() == {"status": "ok"}
    assert Client().get("/readyz").json() == {"database": "ok", "layer": "ok"}


def test_readyz_names_what_is_away(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    response = Client().get("/readyz")
    assert (response.status_code, response.json()) == (503, {"database": "ok", "layer": "unreachable"})
    with patch.object(health, "connection") as connection:
        connection.cursor.side_effect = OSError
        assert Client().get("/readyz").json()["database"] == "unreachable"


class TestMetrics:
    def status(self, source: str, **headers: str) -> int:
        return Client(REMOTE_ADDR=source).get("/metrics", headers=headers).status_code

    def test_this_machine_and_trusted_ones_read_them(self, settings: Any) -> None:
        settings.TRUSTED_PROXIES = ["10.0.0.5"]
        assert self.status("127.0.0.1") == self.status("::1") == self.status("10.0.0.5") == 200
        assert b"process_" in Client().get("/metrics").content

    def test_strangers_do_not(self, settings: Any) -> None:
        settings.TRUSTED_PROXIES = ["10.0.0.5"]
        assert self.status("192.0.2.1") == 404
        assert self.status("10.0.0.5", **{"X-Forwarded-For": "192.0.2.1"}) == 404
        assert self.status("192.0.2.1", **{"X-Forwarded-For": "127.0.0.1"}) == 404

    def test_nor_through_a_proxy_on_this_machine_that_nobody_declared(self) -> None:
        assert self.status("127.0.0.1", **{"X-Forwarded-For": "192.0.2.1"}) == 404

    def test_staff_do_from_anywhere(self) -> None:
        client = Client(REMOTE_ADDR="192.0.2.1")
        client.force_login(User.objects.create_user("sam@example.com", is_staff=True))
        assert client.get("/metrics").status_code == 200


@pytest.mark.requirement("S1-33")
def test_security_txt_says_where_to_report_and_has_not_expired() -> None:
    response = Client().get("/.well-known/security.txt")
    fields = dict(line.split(": ", 1) for line in response.content.decode().splitlines())
    assert response["Content-Type"].startswith("text/plain")
    assert fields["Contact"].startswith("mailto:")
    assert clock.now() < datetime.fromisoformat(fields["Expires"])


def test_the_api_is_described_without_loading_anything_from_elsewhere() -> None:
    page = Client().get("/api/docs/").content.decode()
    assert "/api/v1/charge-points/{id}/commands" in page
    assert "https://" not in page
    assert "http://" not in page
    schema = Client().get("/api/schema/").json()
    assert schema["openapi"].startswith("3.")
    assert "/api/v1/me" in schema["paths"]
