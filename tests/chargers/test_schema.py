"""The OpenAPI description is true: answers fit it, and every address is in it."""

import re
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from chargeamps.chargers.models import ChargePoint, ConfigurationKey
from chargeamps.chargers.services.registration import register_charge_point
from chargeamps.common import clock
from tests.cast import Cast, Phone
from tests.chargers.test_routes import CALLS


def as_json_schema(schema: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: ``nullable`` becomes a type, and objects take no other members."""
    if isinstance(schema, list):
        return [as_json_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {key: as_json_schema(value) for key, value in schema.items() if key not in ("nullable", "readOnly")}
    if converted.get("type") == "object" and "properties" in converted:
        converted.setdefault("additionalProperties", False)
    return {"anyOf": [converted, {"type": "null"}]} if schema.get("nullable") else converted


@pytest.fixture
def description(db: None) -> dict[str, Any]:
    schema: dict[str, Any] = Client().get("/api/schema/").json()
    return schema


def check(description: dict[str, Any], method: str, path: str, response: Any) -> None:
    """Hold a response against what the description says of it."""
    answers = description["paths"][f"/api/v1/{path}"][method.lower()]["responses"]
    answer = answers.get(str(response.status_code), answers["default"])
    content_type = response["Content-Type"].partition(";")[0] if response.content else None
    assert [content_type] == (list(answer["content"]) if "content" in answer else [None])
    if content_type:
        schema = {**answer["content"][content_type]["schema"], "components": description["components"]}
        Draft202012Validator(as_json_schema(schema)).validate(response.json())


def test_every_address_is_described(description: dict[str, Any]) -> None:
    described = {
        (method.upper(), path)
        for path, item in description["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert {(method, re.sub(r"<str:(\w+)>", r"{\1}", f"/api/v1/{path}")) for method, path in CALLS} <= described


def test_answers_are_as_described(cast: Cast, description: dict[str, Any]) -> None:
    boxed = register_charge_point(identity="AURA-0007")
    ChargePoint.objects.update(connected_since=clock.now(), last_contact=clock.now(), vendor="Charge Amps AB")
    ConfigurationKey.objects.create(charge_point=cast.aura, key="WebSocketPingInterval", value="30")
    alice, charlie, nobody, aura = Phone(cast.alice), Phone(cast.charlie), Phone(), str(cast.aura.pk)
    check(description, "GET", "me", alice.get("/api/v1/me"))
    check(description, "GET", "me", nobody.get("/api/v1/me"))
    check(description, "GET", "sites", alice.get("/api/v1/sites"))
    check(description, "GET", "sites/{id}", alice.get(f"/api/v1/sites/{cast.home.pk}"))
    check(description, "GET", "charge-points", alice.get("/api/v1/charge-points?limit=1"))
    check(description, "GET", "charge-points", alice.get("/api/v1/charge-points?limit=0"))
    for person in (alice, charlie, nobody):
        check(description, "GET", "charge-points/{id}", person.get(f"/api/v1/charge-points/{aura}"))
        check(description, "PATCH", "charge-points/{id}", person.send("PATCH", f"charge-points/{aura}", {"name": "A"}))
        commands = f"charge-points/{aura}/commands"
        asked = person.send("POST", commands, {"kind": "refresh"})
        check(description, "POST", "charge-points/{id}/commands", asked)
        check(description, "GET", "charge-points/{id}/commands", person.get(f"/api/v1/{commands}"))
        if asked.status_code == 202:
            check(description, "GET", "commands/{id}", person.get(f"/api/v1/commands/{asked.json()['id']}"))
        configuration = person.get(f"/api/v1/charge-points/{aura}/configuration")
        check(description, "GET", "charge-points/{id}/configuration", configuration)
    for code in (boxed.claim_code, "0000"):
        body = {"identity": "AURA-0007", "claim_code": code}
        check(description, "POST", "charge-points", charlie.send("POST", "charge-points", body))
    for password in (None, "wrong"):
        check(description, "POST", "auth/sign-in", nobody.sign_in("alice@example.com", *filter(None, [password])))
    check(description, "POST", "auth/sign-out", nobody.send("POST", "auth/sign-out"))
