from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView

from chargeamps.common import health, shell
from chargeamps.common.admin import site

urlpatterns = [
    path("api/v1/", include("chargeamps.accounts.urls")),
    path("api/v1/", include("chargeamps.chargers.urls")),
    path("api/v1/", include("chargeamps.usage.urls")),
    path("api/v1/", include("chargeamps.schedules.urls")),
    path("api/v1/", include("chargeamps.gateway.urls")),
    path("api/schema/", SpectacularJSONAPIView.as_view()),
    path("api/docs/", shell.api_docs),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path(".well-known/security.txt", shell.security_txt),
    path("admin", RedirectView.as_view(url="/admin/")),
    path("admin/", site.urls),
    # Every other path is a page of the phone app, which finds its own way. Files (known by a dot) and reserved names
    # that are not there stay not found: a page in their place would confuse caches, scripts and chargers.
    re_path(
        r"^(?!(?:api|admin|ocpp|ws|static|assets|icons|healthz|readyz|metrics|\.well-known)(?:/|$))[^.]*$",
        shell.shell,
    ),
]

handler400 = "chargeamps.common.problems.bad_request"
handler403 = "chargeamps.common.problems.permission_denied"
handler404 = "chargeamps.common.problems.not_found"
handler500 = "chargeamps.common.problems.server_error"
