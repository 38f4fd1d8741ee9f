"""What holds for every address of the API, whoever added it."""

from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from chargeamps.common.api import ApiView
from tests.cast import Cast, Phone

SOME_ID = "00000000-0000-4000-8000-000000000000"
WITHOUT_SIGNING_IN = {"auth/sign-in", "auth/sign-out"}


def routes(patterns: Any = None, prefix: str = "") -> list[tuple[str, type[ApiView]]]:
    """Every address under /api/v1 with its view."""
    found: list[tuple[str, type[ApiView]]] = []
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver) and path.startswith("api/v1/"):
            found += routes(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern) and path.startswith("api/v1/"):
            found.append((path.removeprefix("api/v1/"), pattern.callback.cls))  # type: ignore[attr-defined]
    return found


ROUTES = routes()
CALLS = [
    (method.upper(), path)
    for path, view in ROUTES
    for method in ("get", "post", "put", "patch", "delete")
    if hasattr(view, method)
]


def test_all_are_known() -> None:
    assert {"me", "charge-points", "charge-points/<str:id>", "commands/<str:id>"} <= {path for path, _ in ROUTES}
    assert all(issubclass(view, ApiView) for _, view in ROUTES)


@pytest.mark.requirement("S1-25")
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_nobody_gets_in_without_signing_in(db: None, method: str, path: str) -> None:
    response = Phone().send(method, path.replace("<str:id>", SOME_ID), {})
    if path in WITHOUT_SIGNING_IN:
        assert response.status_code in (204, 400)
    else:
        assert (response.status_code, response.json()["code"]) == (401, "not-signed-in")
        assert response["WWW-Authenticate"]


@pytest.mark.parametrize(("method", "path"), [call for call in CALLS if "<str:id>" in call[1]])
@pytest.mark.parametrize("id", [SOME_ID, "x", "%00", "..", "'; DROP TABLE", "🔌", "x" * 2000])
def test_what_is_not_there_is_not_found(cast: Cast, method: str, path: str, id: str) -> None:
    response = Phone(cast.alice).send(method, path.replace("<str:id>", id), {})
    assert (response.status_code, response.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize("path", [path for method, path in CALLS if method == "POST"])
def test_every_post_that_acts_honours_idempotency_keys(path: str) -> None:
    view = dict(ROUTES)[path]
    assert path in WITHOUT_SIGNING_IN or view.post.idempotent  # type: ignore[attr-defined]


@pytest.mark.parametrize(("path", "view"), ROUTES)
def test_other_methods_are_refused(cast: Cast, path: str, view: type[ApiView]) -> None:
    if not hasattr(view, "delete"):
        response = Phone(cast.alice).send("DELETE", path.replace("<str:id>", SOME_ID))
        assert (response.status_code, response.json()["code"]) == (405, "method-not-allowed")
