from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from chargeamps.accounts.models import ApiKey
from chargeamps.accounts.services import create_api_key
from chargeamps.common import clock
from chargeamps.securitylog.models import Entry
from tests.cast import Cast


def me(key: str) -> int:
    return Client().get("/api/v1/me", headers={"Authorization": f"Bearer {key}"}).status_code


def test_a_key_stands_for_its_person_without_csrf(cast: Cast) -> None:
    key = create_api_key(user=cast.alice, name="script")
    response = Client(enforce_csrf_checks=True).patch(
        f"/api/v1/charge-points/{cast.aura.pk}",
        {"name": "Garage"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )
    assert (response.status_code, response.json()["name"]) == (200, "Garage")


@pytest.mark.requirement("S1-15")
def test_only_a_digest_is_kept(cast: Cast) -> None:
    key = create_api_key(user=cast.alice, name="script")
    assert key not in str(list(ApiKey.objects.values())) + str(list(Entry.objects.values()))


@pytest.mark.requirement("S1-25", "S1-30")
def test_expired_revoked_and_unknown_keys_are_refused_and_logged(cast: Cast) -> None:
    key = create_api_key(user=cast.alice, name="script", expires=clock.now() + timedelta(hours=1))
    revoked = create_api_key(user=cast.alice, name="old")
    assert (me(key), me(revoked)) == (200, 200)
    ApiKey.objects.filter(name="old").update(revoked=clock.now())
    assert (me(revoked), me(key + "x"), me("")) == (401, 401, 401)
    with time_machine.travel(clock.now() + timedelta(hours=2)):
        assert me(key) == 401
    assert Entry.objects.filter(kind="access", outcome="refused", detail__authentication="api-key").count() == 4


def test_a_closed_account_closes_its_keys(cast: Cast) -> None:
    key = create_api_key(user=cast.alice, name="script")
    cast.alice.is_active = False
    cast.alice.save()
    assert me(key) == 401


def test_last_use_is_noted_once_a_minute(cast: Cast) -> None:
    key = create_api_key(user=cast.alice, name="script")
    with time_machine.travel("2027-01-01T12:00:00Z", tick=False) as traveller:
        seen = []
        for _ in range(3):
            me(key)
            seen.append(ApiKey.objects.get().last_used)
            traveller.shift(40)
    assert seen[0] == seen[1] != seen[2]


def test_the_command_prints_a_key_that_works(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    call_command("add_api_key", "alice@example.com", "--json")
    assert me(json.loads(capsys.readouterr().out)["key"]) == 200


def test_the_command_makes_a_person_with_a_home(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    from tests.cast import Phone

    call_command("add_person", "New@Example.com", "--home", "My home", "--json")
    made = json.loads(capsys.readouterr().out)
    response = Phone().sign_in(made["email"], made["password"])
    assert [site["id"] for site in response.json()["sites"]] == [made["site"]]
