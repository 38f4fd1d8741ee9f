from datetime import timedelta
from unittest.mock import patch

import pytest
import time_machine
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.sessions.models import Session
from django.test import Client, override_settings

from chargeamps.accounts import services
from chargeamps.common import clock
from chargeamps.securitylog.models import Entry
from tests.cast import PASSWORD, Cast, Phone


def log_of(kind: str) -> list[tuple[str, str, str]]:
    rows = Entry.objects.filter(kind=kind).order_by("sequence")
    return [(row.outcome, row.actor, row.source_address) for row in rows]


def test_signing_in_tells_who_i_am_and_what_i_belong_to(cast: Cast) -> None:
    phone = Phone()
    response = phone.sign_in("Alice@Example.com")
    assert response.status_code == 200
    assert response.json() == phone.get("/api/v1/me").json()
    assert response.json() == {
        "id": str(cast.alice.pk),
        "email": "alice@example.com",
        "name": "Alice",
        "is_staff": False,
        "sites": [
            {
                "id": str(cast.home.pk),
                "name": "Alice's home",
                "kind": "home",
                "role": "owner",
                "time_zone": "Europe/London",
            }
        ],
    }


def test_before_signing_in_me_is_401_and_brings_the_csrf_cookie(db: None) -> None:
    response = Client().get("/api/v1/me")
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "not-signed-in"
    assert response.cookies["csrftoken"].value
    assert response["Cache-Control"] == "no-store"


@pytest.mark.requirement("S1-25", "S1-30", "S1-31")
def test_every_try_is_logged_with_who_and_where_in_utc(cast: Cast) -> None:
    phone = Phone(REMOTE_ADDR="192.0.2.7")
    with time_machine.travel("2027-10-31T01:30:00+01:00", tick=False):
        assert phone.sign_in("alice@example.com", "wrong").status_code == 400
    with time_machine.travel("2027-10-31T01:30:00+00:00", tick=False):
        assert phone.sign_in("alice@example.com").status_code == 200
    assert phone.send("POST", "auth/sign-out").status_code == 204
    alice = str(cast.alice.pk)
    assert log_of("sign-in") == [("failure", alice, "192.0.2.7"), ("success", alice, "192.0.2.7")]
    assert log_of("sign-out") == [("success", alice, "192.0.2.7")]
    times = [clock.isoformat(row.time) for row in Entry.objects.filter(kind="sign-in").order_by("sequence")]
    assert times == ["2027-10-31T00:30:00.000Z", "2027-10-31T01:30:00.000Z"]


def test_signing_out_ends_the_session_on_the_server(cast: Cast) -> None:
    phone = Phone()
    phone.sign_in("alice@example.com")
    stolen = phone.cookies["sessionid"].value
    phone.send("POST", "auth/sign-out")
    thief = Client()
    thief.cookies["sessionid"] = stolen
    assert thief.get("/api/v1/me").status_code == 401
    assert Session.objects.count() == 0


def test_the_session_key_changes_with_every_sign_in(cast: Cast) -> None:
    phone = Phone()
    phone.sign_in("alice@example.com")
    first = phone.cookies["sessionid"].value
    phone.sign_in("alice@example.com")
    second = phone.cookies["sessionid"].value
    phone.sign_in("bob@example.com")
    assert len({first, second, phone.cookies["sessionid"].value}) == 3
    planted = Client()
    planted.cookies["sessionid"] = first
    assert planted.get("/api/v1/me").status_code == 401


def test_a_changed_password_ends_sessions(cast: Cast) -> None:
    phone = Phone()
    phone.sign_in("alice@example.com")
    cast.alice.set_password("another fine pass phrase")
    cast.alice.save()
    assert phone.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize("email", ["nobody@example.com", "alice@example.com", "closed@example.com", "no address"])
def test_refusals_look_alike(cast: Cast, email: str) -> None:
    closed = services.create_person(email="closed@example.com", password=PASSWORD)
    closed.is_active = False
    closed.save()
    response = Phone().sign_in(email, PASSWORD if email.startswith("closed") else "wrong")
    assert response.status_code == 400
    assert response.json() == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "code": "invalid-credentials",
        "detail": "That e-mail address and password do not match an account.",
    }


def test_an_unknown_address_costs_one_password_hash_too(cast: Cast) -> None:
    hashes = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    with override_settings(PASSWORD_HASHERS=hashes):
        cast.alice.set_password(PASSWORD)
        cast.alice.save()
        costs = {}
        for email in ("alice@example.com", "nobody@example.com"):
            with (
                patch.object(
                    Argon2PasswordHasher, "encode", autospec=True, side_effect=Argon2PasswordHasher.encode
                ) as made,
                patch.object(Argon2PasswordHasher, "verify", autospec=True, return_value=False) as verified,
            ):
                Phone().sign_in(email, "wrong")
                costs[email] = made.call_count + verified.call_count
    assert costs == {"alice@example.com": 1, "nobody@example.com": 1}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"email": "alice@example.com"}, "invalid"),
        ({"email": "alice@example.com", "password": ["x"]}, "invalid"),
        ({"email": "a\x00@example.com", "password": PASSWORD}, "malformed-body"),
        ({"email": "alice@example.com", "password": "x\ud800"}, "malformed-body"),
        ({"email": "a" * 300, "password": "x"}, "invalid"),
        ({"email": "alice@example.com", "password": PASSWORD, "is_staff": True}, "invalid"),
        ([], "invalid"),
        ("{", "malformed-body"),
    ],
)
@pytest.mark.requirement("S1-18")
def test_odd_bodies_are_refused(cast: Cast, body: object, code: str) -> None:
    response = Phone().send("POST", "auth/sign-in", body)
    assert (response.status_code, response.json()["code"]) == (400, code)


def test_another_website_cannot_sign_a_person_in(cast: Cast) -> None:
    browser = Client(enforce_csrf_checks=True)
    body = {"email": "alice@example.com", "password": PASSWORD}
    response = browser.post("/api/v1/auth/sign-in", body, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (403, "csrf-failed")
    assert "sessionid" not in browser.cookies


def test_a_signed_in_browser_must_send_the_csrf_token(cast: Cast) -> None:
    phone = Phone(cast.alice)
    refused = phone.post("/api/v1/auth/sign-out", headers={"X-CSRFToken": "x" * 32})
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf-failed")
    assert phone.get("/api/v1/me").status_code == 200


class TestGuessing:
    def guess(self, times: int, *, email: str = "alice@example.com", source: str = "203.0.113.9") -> list[int]:
        return [Phone(REMOTE_ADDR=source).sign_in(email, f"guess {n}").status_code for n in range(times)]

    def test_a_stranger_is_limited_and_told_how_long(self, cast: Cast) -> None:
        assert self.guess(6) == [400] * 5 + [429]
        refused = Phone(REMOTE_ADDR="203.0.113.9").sign_in("alice@example.com")
        assert refused.status_code == 429
        assert refused.json()["code"] == "too-many-attempts"
        assert 0 < int(refused["Retry-After"]) <= 61
        with time_machine.travel(clock.now() + timedelta(seconds=int(refused["Retry-After"]))):
            assert Phone(REMOTE_ADDR="203.0.113.9").sign_in("alice@example.com").status_code == 200

    def test_the_person_still_gets_in_elsewhere(self, cast: Cast) -> None:
        self.guess(10)
        assert Phone(REMOTE_ADDR="192.0.2.1").sign_in("alice@example.com").status_code == 200

    def test_the_usual_device_gets_in_whatever_strangers_do(self, cast: Cast) -> None:
        phone = Phone(REMOTE_ADDR="203.0.113.9")
        assert phone.sign_in("alice@example.com").status_code == 200
        phone.send("POST", "auth/sign-out")
        for last in range(40):
            self.guess(1, source=f"198.51.100.{last}")
        self.guess(10, source="203.0.113.9")
        assert Phone(REMOTE_ADDR="192.0.2.77").sign_in("alice@example.com").status_code == 429
        assert phone.sign_in("alice@example.com").status_code == 200

    def test_a_device_of_one_account_is_a_stranger_to_another(self, cast: Cast) -> None:
        phone = Phone(REMOTE_ADDR="203.0.113.9")
        phone.sign_in("charlie@example.com")
        tries = [phone.sign_in("alice@example.com", "guess").status_code for _ in range(6)]
        assert tries[-1] == 429

    def test_a_known_device_is_limited_too(self, cast: Cast) -> None:
        phone = Phone()
        phone.sign_in("alice@example.com")
        tries = [phone.sign_in("alice@example.com", "guess").status_code for _ in range(12)]
        assert tries[-1] == 429

    def test_one_source_spraying_many_accounts_is_limited(self, cast: Cast) -> None:
        tries = [self.guess(1, email=f"person{n}@example.com")[0] for n in range(32)]
        assert tries[-1] == 429

    def test_signing_in_rightly_uses_nothing_up(self, cast: Cast) -> None:
        for _ in range(12):
            assert Phone().sign_in("alice@example.com").status_code == 200

    def test_a_forged_device_mark_is_no_device(self, cast: Cast) -> None:
        assert services.known_device("alice@example.com", "alice@example.com") == ""
        assert services.known_device(services.mark_device("alice@example.com"), "alice@example.com")
