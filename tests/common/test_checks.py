from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chargeamps.common import checks

SQLITE, POSTGRES = checks.ENGINES


def found(check: Any) -> list[str]:
    messages = check(None)
    assert all(message.hint for message in messages)
    return [message.id for message in messages]


@pytest.fixture
def plain(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", SQLITE)
    settings.REDIS_URL = settings.CELERY_BROKER_URL = settings.TLS_CERTIFICATE = settings.TLS_KEY = ""
    settings.PUBLIC_URL, settings.TRUSTED_PROXIES = "https://charge.example.com", ["10.0.0.5", "10.1.0.0/16", "::1"]
    settings.PWA_ROOT = tmp_path
    settings.DATA_FOLDER = SimpleNamespace(path=tmp_path)
    (tmp_path / "index.html").touch()
    tmp_path.chmod(0o700)
    return settings


def test_an_installation_in_order_finds_nothing(plain: Any) -> None:
    for check in (
        checks.check_database,
        checks.check_broker,
        checks.check_addresses,
        checks.check_certificate,
        checks.check_app_is_built,
        checks.check_data_folder,
    ):
        assert found(check) == []


@pytest.mark.parametrize(
    ("engine", "redis", "ids"),
    [
        ("django.db.backends.mysql", "", ["chargeamps.E001"]),
        (POSTGRES, "", ["chargeamps.W001"]),
        (POSTGRES, "redis://x", []),
        (SQLITE, "redis://x", ["chargeamps.W002"]),
    ],
)
def test_databases(plain: Any, engine: str, redis: str, ids: list[str]) -> None:
    plain.DATABASES["default"]["ENGINE"], plain.REDIS_URL = engine, redis
    assert found(checks.check_database) == ids


@pytest.mark.parametrize(
    ("redis", "broker", "ids"), [("r", "", ["chargeamps.E002"]), ("", "b", ["chargeamps.E003"]), ("r", "b", [])]
)
def test_broker_and_layer_come_together(plain: Any, redis: str, broker: str, ids: list[str]) -> None:
    plain.REDIS_URL, plain.CELERY_BROKER_URL = redis, broker
    assert found(checks.check_broker) == ids


@pytest.mark.parametrize(
    "url", ["charge.example.com", "//charge.example.com", "ftp://charge.example.com", "https://", ""]
)
def test_a_public_url_needs_its_scheme(plain: Any, url: str) -> None:
    plain.PUBLIC_URL = url
    assert found(checks.check_addresses) == ["chargeamps.E004"]


def test_every_bad_proxy_is_named(plain: Any) -> None:
    plain.TRUSTED_PROXIES = ["10.0.0.5", "proxy.local", "10.0.0.0/99"]
    assert found(checks.check_addresses) == ["chargeamps.E005"] * 2


def test_certificates(plain: Any, tmp_path: Path) -> None:
    plain.TLS_CERTIFICATE = str(tmp_path / "index.html")
    assert found(checks.check_certificate) == ["chargeamps.E006"]
    plain.TLS_KEY = str(tmp_path / "none.pem")
    assert found(checks.check_certificate) == ["chargeamps.E007"]
    plain.TLS_KEY = plain.TLS_CERTIFICATE
    assert found(checks.check_certificate) == []


def test_a_missing_app_is_only_a_warning(plain: Any, tmp_path: Path) -> None:
    plain.PWA_ROOT = tmp_path / "none"
    assert found(checks.check_app_is_built) == ["chargeamps.W003"]


def test_a_data_folder_is_this_account_s_alone(plain: Any, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert found(checks.check_data_folder) == ["chargeamps.W004"]
    plain.DATA_FOLDER = SimpleNamespace(path=tmp_path / "none")
    assert found(checks.check_data_folder) == ["chargeamps.E008"]
