"""How a request says whose it is: the app's session cookie, or a script's API key."""

from datetime import timedelta

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from chargeamps.accounts.models import ApiKey, User
from chargeamps.accounts.services import api_key_digest
from chargeamps.common import clock
from chargeamps.common.problems import csrf_failed

_USED_EVERY = timedelta(minutes=1)


class _CsrfCheck(CsrfViewMiddleware):
    """Django's check, telling the reason instead of answering."""

    def _reject(self, request: HttpRequest, reason: str) -> str:
        return reason


def person(request: Request) -> User:
    """The signed-in person of a view that demands one."""
    assert isinstance(request.user, User)
    return request.user


def enforce_csrf(request: Request) -> None:
    """Refuse an unsafe request that another website may have made the browser send."""

    def view(request: HttpRequest) -> HttpResponse:
        raise NotImplementedError  # only its attributes are asked for

    check = _CsrfCheck(view)
    check.process_request(request._request)
    if check.process_view(request._request, view, (), {}):
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


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """``Authorization: Bearer <key>``."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        now = clock.now()
        key = (
            ApiKey.objects.select_related("user")
            .filter(digest=api_key_digest(text.strip()), revoked=None, user__is_active=True)
            .filter(Q(expires=None) | Q(expires__gt=now))
            .first()
        )
        if key is None:
            raise AuthenticationFailed("This API key is not valid: unknown, expired or revoked.")
        if key.last_used is None or now - key.last_used >= _USED_EVERY:
            ApiKey.objects.filter(pk=key.pk).update(last_used=now)
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
