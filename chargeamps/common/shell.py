"""The addresses that serve people's browsers: the app's shell, the API's description, how to report a weakness."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from chargeamps.common import clock

METHODS = ("get", "post", "put", "patch", "delete")


@require_safe
def shell(request: HttpRequest) -> HttpResponse:
    """The phone app's one page, for every path that is the app's own."""
    index = settings.PWA_ROOT / "index.html"
    try:
        response = HttpResponse(index.read_bytes(), content_type="text/html; charset=utf-8")
    except OSError:
        return render(request, "not-built.html", status=503)
    # The page names its scripts by content: an old copy would ask for files that an update removed.
    patch_cache_control(response, no_cache=True)
    return response


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """The OpenAPI description for reading, made of our own page only: nothing is loaded from elsewhere."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    operations = [
        {"method": method.upper(), "path": path, **_summary(operation)}
        for path, item in sorted(schema["paths"].items())
        for method, operation in item.items()
        if method in METHODS
    ]
    return render(
        request, "api-docs.html", {"info": schema["info"], "operations": operations, "schemas": _shapes(schema)}
    )


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """RFC 9116: where to report a weakness."""
    expires = (clock.now() + timedelta(days=180)).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {settings.PUBLIC_URL}/.well-known/security.txt",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


def _summary(operation: dict[str, Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return {
        "text": operation.get("description", ""),
        "parameters": operation.get("parameters", []),
        "body": _type_name(body),
        "answers": [
            {
                "status": status,
                "text": answer.get("description", ""),
                "type": " | ".join(_type_name(content["schema"]) for content in answer.get("content", {}).values()),
            }
            for status, answer in operation.get("responses", {}).items()
        ],
    }


def _shapes(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "text": shape.get("description", ""),
            "values": shape.get("enum", []),
            "fields": [
                {
                    "name": field,
                    "type": _type_name(of),
                    "text": of.get("description", ""),
                    "required": field in shape.get("required", []),
                }
                for field, of in shape.get("properties", {}).items()
            ],
        }
        for name, shape in sorted(schema.get("components", {}).get("schemas", {}).items())
    ]


def _type_name(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for joint in ("allOf", "oneOf", "anyOf"):
        if joint in schema:
            return " | ".join(filter(None, (_type_name(part) for part in schema[joint])))
    if schema.get("type") == "array":
        return f"list of {_type_name(schema['items'])}"
    name = " ".join(filter(None, [str(schema.get("type", "")), str(schema.get("format", ""))]))
    return f"{name} or null" if schema.get("nullable") else name
