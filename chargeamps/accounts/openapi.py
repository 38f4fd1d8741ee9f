"""How the OpenAPI description names the ways to authenticate."""

from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class SessionCookie(SessionScheme):  # type: ignore[no-untyped-call]
    target_class = "chargeamps.accounts.authentication.SessionAuthentication"
    name = "session"


class ApiKey(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "chargeamps.accounts.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
