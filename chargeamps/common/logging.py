"""One log for Django, Daphne, Celery and our own code: UTC times, the request's id, and no secrets."""

import logging
import logging.config
import re
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

REDACTED = "[redacted]"
_SECRET_NAME = re.compile(
    r"password|passwd|secret|authori[sz]ation|cookie|token|csrf|claim_code|id_?tag|(^|[_-])key($|[_-])|key_hex|apikey",
    re.IGNORECASE,
)
_ANYWHERE = re.IGNORECASE | re.DOTALL
# OCPP carries a new key as {"key": "AuthorizationKey", "value": "…"}; HTTP carries it in the Authorization header.
_SECRET_TEXT = (
    (
        re.compile(r"(AuthorizationKey\\*[\"'].{0,40}?value\\*[\"']\s*:\s*\\*[\"'])[^\"'\\]*", _ANYWHERE),
        r"\1" + REDACTED,
    ),
    (
        re.compile(r"(value\\*[\"']\s*:\s*\\*[\"'])[^\"'\\]*(\\*[\"'].{0,40}?AuthorizationKey)", _ANYWHERE),
        rf"\1{REDACTED}\2",
    ),
    (re.compile(r"(id_?tag\\*[\"']\s*:\s*\\*[\"'])[^\"'\\]*", re.IGNORECASE), r"\1" + REDACTED),
    (re.compile(r"\b(Basic|Bearer)\s+[A-Za-z0-9+/=_.~-]{8,}"), r"\1 " + REDACTED),
)


def redact(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Replace whatever is named or looks like a secret, at any depth."""
    # "event" is the message; structlog's own members start with an underscore.
    return {
        name: value if name.startswith("_") else redact_value(value) if name == "event" else _member(name, value)
        for name, value in event.items()
    }


def redact_value(value: Any) -> Any:
    if isinstance(value, str):
        for pattern, replacement in _SECRET_TEXT:
            value = pattern.sub(replacement, value)
        return value
    if isinstance(value, bytes):
        return f"[{len(value)} bytes]"
    if isinstance(value, Mapping):
        named = str(value.get("key", "")).lower() == "authorizationkey"
        return {
            name: REDACTED if named and name == "value" else item if name == "key" else _member(str(name), item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact_value(item) for item in value]
    return value


def _member(name: str, value: Any) -> Any:
    return REDACTED if _SECRET_NAME.search(name) and value not in (None, "") else redact_value(value)


def configure(config: Mapping[str, Any]) -> None:
    """Django's LOGGING_CONFIG: ``{"level": "INFO", "json": False}``."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
        redact,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer() if config["json"] else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    level = config["level"]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structlog": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                    "foreign_pre_chain": shared,
                }
            },
            "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structlog"}},
            "root": {"handlers": ["console"], "level": level},
            "loggers": {
                # The library writes every frame, with keys and idTags, at INFO.
                "ocpp": {"level": "ERROR"},
                # A line for each connection of each charger says nothing; refusals are in the security log.
                "daphne": {"level": "WARNING"},
                "django.channels.server": {"level": "WARNING"},
                # 4xx answers to strangers are not events of ours.
                "django.request": {"level": "ERROR"},
                "django.security.DisallowedHost": {"level": "ERROR"},
                # Statements carry personal data.
                "django.db.backends": {"level": "WARNING"},
            },
        }
    )
