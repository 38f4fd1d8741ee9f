"""One settings module, driven by the environment, with defaults that work on an empty machine.

Without any variable set the project runs embedded: SQLite, an in-memory channel layer, secrets generated into the data
folder. ``DATABASE_URL`` and ``REDIS_URL`` turn the same code into the scaled arrangement. ``chargeamps.common.checks``
explains a wrong setting at start.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF

from chargeamps.common.data_folder import DataFolder

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_FOLDER = DataFolder(Path(env.str("CHARGEAMPS_DATA_DIR", default=str(BASE_DIR / "data"))))

# The address people open. Its scheme decides whether cookies and redirects demand https.
PUBLIC_URL = env.str("CHARGEAMPS_PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
HTTPS = urlsplit(PUBLIC_URL).scheme == "https"
PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname or "127.0.0.1"

SECRET_KEY = env.str("CHARGEAMPS_SECRET_KEY", default="") or DATA_FOLDER.secret("secret-key")
DEBUG = False
ALLOWED_HOSTS: list[str] = env.list(
    "CHARGEAMPS_ALLOWED_HOSTS", default=sorted({PUBLIC_HOST, "127.0.0.1", "localhost", "[::1]"})
)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if HTTPS else []
# Addresses or networks whose X-Forwarded-For and X-Forwarded-Proto are believed.
TRUSTED_PROXIES: list[str] = env.list("CHARGEAMPS_TRUSTED_PROXIES", default=[])

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "csp",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "chargeamps.common",
    "chargeamps.securitylog",
    "chargeamps.accounts",
    "chargeamps.chargers",
    "chargeamps.usage",
    "chargeamps.schedules",
    "chargeamps.gateway",
    "chargeamps.live",
    "chargeamps.runtime",
    "chargeamps.simulator",
]

MIDDLEWARE = [
    "chargeamps.common.middleware.client_address",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "chargeamps.urls"
ASGI_APPLICATION = "chargeamps.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES: dict[str, Any] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_FOLDER.path / 'chargeamps.sqlite3'}")
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL lets readers go on while one writes. IMMEDIATE makes a writer wait for its turn at the start: a transaction
    # that reads first and writes later would fail at once with a busy snapshot, whatever the time-out.
    # Tests run the writing thread too, so their database must be a file: threads cannot share one in memory.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_FOLDER.path / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-4000;",
    }
else:
    # Under ASGI each request has a thread of its own: connections that outlive requests must be pooled.
    # One that the server has cut meanwhile is noticed before a request gets it.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"]["OPTIONS"] = {"pool": {"min_size": 1, "max_size": 20, "timeout": 10}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="")
if REDIS_URL:
    CHANNEL_LAYERS: dict[str, Any] = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            # redis-py's own socket time-out equals the layer's blocking wait and would cut idle subscriptions.
            "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}], "prefix": "chargeamps"},
        }
    }
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="")
CELERY_TASK_ALWAYS_EAGER = not CELERY_BROKER_URL
CELERY_TASK_ACKS_LATE = True
CELERY_TIMEZONE = "UTC"

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
# The PWA must send the token back in a header, so its script reads this cookie.
CSRF_COOKIE_HTTPONLY = False
CSRF_FAILURE_VIEW = "chargeamps.common.problems.csrf_failure"
if HTTPS:
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ["/admin/", "/api/docs/"],
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["svelte-trusted-html", "aura-worker"],
    },
}

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
# WhiteNoise finds the admin's files where they are installed; nothing needs collecting.
STATIC_ROOT = None
STATICFILES_DIRS: list[Path] = []
PWA_ROOT = BASE_DIR / "static" / "pwa"
# The build names its files by content, so they may be kept for ever; the worker and the manifest may not.
WHITENOISE_ROOT = PWA_ROOT if PWA_ROOT.is_dir() else None
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 0
WHITENOISE_MIMETYPES = {".webmanifest": "application/manifest+json"}
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/assets/.+$"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "chargeamps.accounts.authentication.SessionAuthentication",
        "chargeamps.accounts.authentication.ApiKeyAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "chargeamps.common.pagination.CursorPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "chargeamps.common.problems.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Charge Amps Aura, owner's side",
    "DESCRIPTION": "Energy in Wh, power in W, current in A, times in UTC. Errors are application/problem+json.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1/",
}

# A charger may send at most this many bytes in one message (OCPP-J frames are small; 500 profiles fit in 64 KiB).
WEBSOCKET_MESSAGE_BYTES = 128 * 1024
# Where to report a weakness (/.well-known/security.txt): a mailto: or https: address.
SECURITY_CONTACT = env.str("CHARGEAMPS_SECURITY_CONTACT", default=f"mailto:security@{PUBLIC_HOST}")
# Days that a charge point's redacted message trace is kept.
TRACE_DAYS = env.int("CHARGEAMPS_TRACE_DAYS", default=14)
# Days that power is kept each second (SI 2021/1467 reg 9 wants it measured, not kept); then 14 months by the minute.
POWER_SECONDS_DAYS = env.int("CHARGEAMPS_POWER_SECONDS_DAYS", default=31)
# A certificate and key of your own for the chargers' port; else the data folder's own authority signs one.
TLS_CERTIFICATE = env.str("CHARGEAMPS_TLS_CERTIFICATE", default="")
TLS_KEY = env.str("CHARGEAMPS_TLS_KEY", default="")
# Names and addresses that the generated certificate is valid for.
TLS_NAMES: list[str] = env.list("CHARGEAMPS_TLS_NAMES", default=sorted({PUBLIC_HOST, "localhost", "127.0.0.1"}))

LOG_LEVEL = env.str("CHARGEAMPS_LOG_LEVEL", default="INFO")
LOGGING_CONFIG = "chargeamps.common.logging.configure"
LOGGING = {"level": LOG_LEVEL, "json": env.bool("CHARGEAMPS_LOG_JSON", default=False)}
