"""Sign-in, who am I, and the sites I belong to."""

from typing import Any

from django.conf import settings
from django.http import HttpResponseBase
from django.middleware.csrf import get_token
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from chargeamps.accounts import services
from chargeamps.accounts.access import access_site
from chargeamps.accounts.authentication import SessionAuthentication, enforce_csrf, person
from chargeamps.accounts.models import Membership, Site
from chargeamps.accounts.selectors import me_json, memberships_of, site_json
from chargeamps.common import context
from chargeamps.common.api import ApiView, ProblemSerializer
from chargeamps.common.pagination import CursorPagination

_SECURE = "__Host-" if settings.HTTPS else ""
# Tells a person's usual browser from a stranger's, so that the stranger's guesses do not lock it out.
DEVICE_COOKIE = f"{_SECURE}device"


class SignInSerializer(serializers.Serializer[Any]):
    email = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=1024, trim_whitespace=False)


class SiteSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(Site.Kind.choices)
    role = serializers.ChoiceField(Membership.Role.choices)
    time_zone = serializers.CharField()


class MeSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    email = serializers.EmailField()
    name = serializers.CharField(allow_blank=True)
    is_staff = serializers.BooleanField()
    sites = SiteSerializer(many=True)


class SignInView(ApiView):
    authentication_classes: list[type[BaseAuthentication]] = []
    permission_classes = [AllowAny]

    @extend_schema(
        request=SignInSerializer, responses={200: MeSerializer, 400: ProblemSerializer, 429: ProblemSerializer}
    )
    def post(self, request: Request) -> Response:
        """Sign in with e-mail address and password; the session comes as a cookie."""
        # Nobody is signed in yet, but another website must not sign a person in as somebody else.
        enforce_csrf(request)
        data = self.read(SignInSerializer)
        user = services.check_credentials(
            email=data["email"],
            password=data["password"],
            source_address=context.source_address.get(),
            device=request.COOKIES.get(DEVICE_COOKIE, ""),
        )
        services.sign_in(request=request._request, user=user)
        response = Response(me_json(user))
        response.set_cookie(
            DEVICE_COOKIE,
            services.mark_device(user.email),
            max_age=services.DEVICE_AGE,
            secure=settings.HTTPS,
            httponly=True,
            samesite="Lax",
        )
        return response


class SignOutView(ApiView):
    authentication_classes = [SessionAuthentication]
    permission_classes = [AllowAny]

    @extend_schema(request=None, responses={204: OpenApiResponse(description="Signed out.")})
    def post(self, request: Request) -> Response:
        """End this session."""
        services.sign_out(request=request._request)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeView(ApiView):
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # Asked before sign-in too: the 401 then brings the token that signing in needs.
        get_token(request)
        return super().dispatch(request, *args, **kwargs)

    @extend_schema(responses={200: MeSerializer, 401: ProblemSerializer})
    def get(self, request: Request) -> Response:
        """Who is signed in. Sets the CSRF cookie, whatever the answer."""
        return Response(me_json(person(request)))


class SitePagination(CursorPagination):
    ordering = ("created", "id")


class SitesView(ApiView):
    pagination_class = SitePagination

    @extend_schema(responses=SiteSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The sites I belong to."""
        return self.page(memberships_of(person(request)), lambda row: site_json(row.site, row.role))


class SiteView(ApiView):
    @extend_schema(responses={200: SiteSerializer, 404: ProblemSerializer})
    def get(self, request: Request, id: str) -> Response:
        """One site."""
        membership = access_site(person(request), id)
        return Response(site_json(membership.site, membership.role))
