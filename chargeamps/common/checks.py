"""System checks: a wrong setting is explained at start, not met at the first request."""

import os
import stat
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps.config import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

ENGINES = ("django.db.backends.sqlite3", "django.db.backends.postgresql")


@register()
def check_database(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    engine = settings.DATABASES["default"]["ENGINE"]
    if engine not in ENGINES:
        return [
            Error(
                f"DATABASE_URL names an unsupported database ({engine}).",
                hint="Use sqlite:///path or postgresql://user:password@host/name.",
                id="chargeamps.E001",
            )
        ]
    if engine == ENGINES[1] and not settings.REDIS_URL:
        return [
            checks.Warning(
                "PostgreSQL without Redis: only one process may serve.",
                hint="Set REDIS_URL and CELERY_BROKER_URL to run several, or unset DATABASE_URL to use SQLite.",
                id="chargeamps.W001",
            )
        ]
    if engine == ENGINES[0] and settings.REDIS_URL:
        return [
            checks.Warning(
                "Redis with SQLite: several processes would write to one SQLite file.",
                hint="Set DATABASE_URL to PostgreSQL, or unset REDIS_URL and CELERY_BROKER_URL.",
                id="chargeamps.W002",
            )
        ]
    return []


@register()
def check_broker(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.REDIS_URL and not settings.CELERY_BROKER_URL:
        return [
            Error(
                "REDIS_URL is set without CELERY_BROKER_URL: no worker would do the periodic work.",
                hint="Set CELERY_BROKER_URL (it may be the same Redis) and start a Celery worker and beat.",
                id="chargeamps.E002",
            )
        ]
    if settings.CELERY_BROKER_URL and not settings.REDIS_URL:
        return [
            Error(
                "CELERY_BROKER_URL is set without REDIS_URL: workers could not reach the chargers' sockets.",
                hint="Set REDIS_URL too, or unset CELERY_BROKER_URL to run everything in one process.",
                id="chargeamps.E003",
            )
        ]
    return []


@register()
def check_addresses(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    address = urlsplit(settings.PUBLIC_URL)
    if address.scheme not in ("http", "https") or not address.hostname:
        found.append(
            Error(
                f"CHARGEAMPS_PUBLIC_URL is not a web address: {settings.PUBLIC_URL}",
                hint="Write it with its scheme, as in https://charge.example.com",
                id="chargeamps.E004",
            )
        )
    for text in settings.TRUSTED_PROXIES:
        try:
            ip_network(text, strict=False)
        except ValueError:
            found.append(
                Error(
                    f"CHARGEAMPS_TRUSTED_PROXIES holds {text!r}, which is neither an address nor a network.",
                    hint="Write addresses or networks with commas between them, as in 10.0.0.5,192.168.0.0/24",
                    id="chargeamps.E005",
                )
            )
    return found


@register()
def check_certificate(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    given = {"CHARGEAMPS_TLS_CERTIFICATE": settings.TLS_CERTIFICATE, "CHARGEAMPS_TLS_KEY": settings.TLS_KEY}
    if bool(settings.TLS_CERTIFICATE) != bool(settings.TLS_KEY):
        return [
            Error(
                "Only one of CHARGEAMPS_TLS_CERTIFICATE and CHARGEAMPS_TLS_KEY is set.",
                hint="Set both, or neither to use the data folder's own authority.",
                id="chargeamps.E006",
            )
        ]
    return [
        Error(
            f"{name} cannot be read: {path}",
            hint="Give the path of a PEM file that the account running the server may read.",
            id="chargeamps.E007",
        )
        for name, path in given.items()
        if path and not (Path(path).is_file() and os.access(path, os.R_OK))
    ]


@register()
def check_app_is_built(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if (settings.PWA_ROOT / "index.html").is_file():
        return []
    return [
        checks.Warning(
            "The phone app is not built; people would see a page saying so.", hint="make setup", id="chargeamps.W003"
        )
    ]


@register()
def check_data_folder(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    path = settings.DATA_FOLDER.path
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return [
            Error(
                f"The data folder cannot be written: {path}",
                hint="Set CHARGEAMPS_DATA_DIR to a folder of the account running the server.",
                id="chargeamps.E008",
            )
        ]
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        return [
            checks.Warning(
                f"Other accounts of this machine can look into the data folder: {path}",
                hint=f"chmod 700 {path}",
                id="chargeamps.W004",
            )
        ]
    return []
