"""How a request says whose it is: the app's session cookie, or a script's API key."""

import hashlib
from datetime import timedelta

from django.db.models import Q
from django.middleware.csrf import CsrfViewMiddleware
from django.http import HttpRequest, HttpResponse
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from chargeamps.accounts.models import ApiKey, User
from chargeamps.common import clock, context, rate
from chargeamps.common.problems import csrf_failed
from chargeamps.securitylog.models import Entry
from chargeamps.securitylog.services import record

_USED_EVERY = timedelta(minutes=1)


class _CsrfCheck(CsrfViewMiddleware):
    """Django's check, telling the reason instead of answering."""

    def _reject(self, request: HttpRequest, reason: str) -> str:  # type: ignore[override]
        return reason


def enforce_csrf(request: Request) -> None:
    """Refuse an unsafe request that another website may have made the browser send."""

    def unused(request: HttpRequest) -> HttpResponse:
        raise NotImplementedError

    check = _CsrfCheck(unused)
    check.process_request(request._request)
    if check.process_view(request._request, None, (), {}):
        raise csrf_failed()


class SessionAuthentication(authentication.BaseAuthentication):
    """The session cookie, with a CSRF token on every unsafe request."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        user = getattr(request._request, "user", None)
        if not isinstance(user, User) or not user.is_active:
            return None
        enforce_csrf(request)
        return user, None

    def authenticate_header(self, request: Request) -> str:
        # With a challenge DRF answers 401 instead of 403 to people who are not signed in.
        return "Session"


class AnonymousWithCsrf(authentication.BaseAuthentication):
    """For sign-in and sign-out: nobody yet, but no other website may sign a person in as somebody else."""

    def authenticate(self, request: Request) -> None:
        enforce_csrf(request)


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """``Authorization: Bearer <key>``."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        now = clock.now()
        key = (
            ApiKey.objects.select_related("user")
            .filter(digest=digest(text.strip()), revoked=None, user__is_active=True)
            .filter(Q(expires=None) | Q(expires__gt=now))
            .first()
        )
        if key is None:
            _note_refusal()
            raise AuthenticationFailed("This API key is not valid: unknown, expired or revoked.")
        if key.last_used is None or now - key.last_used >= _USED_EVERY:
            ApiKey.objects.filter(pk=key.pk).update(last_used=now)
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _note_refusal() -> None:
    """Log the attempt, at most a few a minute for each source so that a stranger cannot fill the log."""
    source = context.source_address.get()
    if rate.take(rate.bucket_name("api-key-noted", source), capacity=10, refill_per_second=1 / 60) == 0:
        record(kind="api-key", outcome=Entry.Outcome.REFUSED, source_address=source)


class _SessionScheme(SessionScheme):
    target_class = SessionAuthentication
    name = "session"


class _ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
