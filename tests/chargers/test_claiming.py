from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine

from chargeamps.accounts.models import Site
from chargeamps.accounts.services import create_person, create_site
from chargeamps.chargers.models import ChargePoint, ClaimCode
from chargeamps.chargers.services.registration import Registered, register_charge_point
from chargeamps.common import clock
from chargeamps.securitylog.models import Entry
from tests.cast import PASSWORD, Cast, Phone


@pytest.fixture
def boxed(cast: Cast) -> Registered:
    """An Aura in its box, with its label."""
    return register_charge_point(identity="AURA:0007")


def claim(phone: Phone, code: str | None, identity: str = "AURA:0007", **more: Any) -> Any:
    return phone.send("POST", "charge-points", {"identity": identity, "claim_code": code, **more})


@pytest.mark.requirement("S1-20", "S1-30")
def test_identity_and_code_bind_the_charger_to_the_home(cast: Cast, boxed: Registered) -> None:
    phone = Phone(cast.charlie, REMOTE_ADDR="192.0.2.3")
    response = claim(phone, boxed.claim_code, name="Drive", free_charging=True)
    assert response.status_code == 201
    body = response.json()
    assert (body["site"], body["name"], body["free_charging"]) == (str(cast.charlies_home.pk), "Drive", True)
    assert body == phone.get(f"/api/v1/charge-points/{body['id']}").json()
    entry = Entry.objects.get(kind="claim")
    assert (entry.outcome, entry.actor, entry.charge_point, entry.site, entry.source_address) == (
        "success",
        str(cast.charlie.pk),
        body["id"],
        str(cast.charlies_home.pk),
        "192.0.2.3",
    )


def test_a_person_without_a_site_gets_a_home(cast: Cast, boxed: Registered) -> None:
    newcomer = create_person(email="new@example.com", password=PASSWORD)
    phone = Phone(newcomer)
    assert claim(phone, boxed.claim_code).status_code == 201
    assert [(site["name"], site["role"]) for site in phone.get("/api/v1/me").json()["sites"]] == [("Home", "owner")]


def test_a_guest_of_another_home_gets_a_home_of_their_own(cast: Cast, boxed: Registered) -> None:
    phone = Phone(cast.bob)
    site = claim(phone, boxed.claim_code).json()["site"]
    assert site != str(cast.home.pk)
    assert Site.objects.get(pk=site).memberships.get().user == cast.bob


def test_a_code_is_typed_by_people(cast: Cast, boxed: Registered) -> None:
    assert boxed.claim_code
    typed = f"  {boxed.claim_code.lower().replace('-', ' ').replace('0', 'o').replace('1', 'l')} "
    assert claim(Phone(cast.charlie), typed, identity=" aura:0007 ").status_code == 201


def test_refusals_look_alike_and_change_nothing(cast: Cast, boxed: Registered) -> None:
    used = register_charge_point(identity="AURA-0008")
    claim(Phone(cast.wendy), used.claim_code, identity="AURA-0008")
    phone = Phone(cast.charlie)
    answers = [
        claim(phone, "0000-0000-0000-0000"),
        claim(phone, boxed.claim_code, identity="AURA-NOBODY"),
        claim(phone, used.claim_code, identity="AURA-0008"),
        claim(phone, boxed.claim_code, identity="AURA-ALICE"),
        claim(phone, boxed.claim_code, identity="AURA_0007"),
        claim(phone, boxed.claim_code, identity="AURA%"),
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(400, answers[0].content)}
    assert answers[0].json()["code"] == "claim-refused"
    assert phone.get("/api/v1/charge-points").json()["results"] == []
    assert Entry.objects.filter(kind="claim", outcome="refused", actor=str(cast.charlie.pk)).count() == 6
    assert claim(phone, boxed.claim_code).status_code == 201


def test_the_owner_of_a_charger_can_see_that_somebody_tried_to_claim_it(cast: Cast) -> None:
    claim(Phone(cast.charlie), "0000-0000-0000-0000", identity="AURA-ALICE")
    entry = Entry.objects.get(kind="claim")
    assert entry.charge_point == ""  # registered with its site, so it has no code to try
    boxed = register_charge_point(identity="AURA-0009")
    claim(Phone(cast.wendy), boxed.claim_code, identity="AURA-0009")
    claim(Phone(cast.charlie), "0000-0000-0000-0000", identity="AURA-0009")
    tried = Entry.objects.filter(kind="claim", outcome="refused", site=str(cast.workplace.pk))
    assert [row.charge_point for row in tried] == [str(boxed.charge_point.pk)]


def test_a_code_serves_once_even_after_release(cast: Cast, boxed: Registered) -> None:
    claim(Phone(cast.charlie), boxed.claim_code)
    ChargePoint.objects.filter(pk=boxed.charge_point.pk).update(site=None)
    assert claim(Phone(cast.wendy), boxed.claim_code).status_code == 400


def test_a_repeated_tap_claims_once(cast: Cast, boxed: Registered) -> None:
    phone, key = Phone(cast.charlie), str(uuid4())
    body = {"identity": "AURA:0007", "claim_code": boxed.claim_code}
    first = phone.send("POST", "charge-points", body, key=key)
    second = phone.send("POST", "charge-points", body, key=key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second["Idempotency-Replayed"] == "true"


@pytest.mark.requirement("S1-25")
class TestGuessing:
    def test_tries_are_limited_for_a_person_wherever_they_are(self, cast: Cast, boxed: Registered) -> None:
        answers = [claim(Phone(cast.charlie, REMOTE_ADDR=f"192.0.2.{n}"), f"GUESS-{n}") for n in range(11)]
        assert [answer.status_code for answer in answers] == [400] * 10 + [429]
        assert answers[-1].json()["code"] == "too-many-attempts"
        assert claim(Phone(cast.charlie), boxed.claim_code).status_code == 429
        with time_machine.travel(clock.now() + timedelta(seconds=int(answers[-1]["Retry-After"]))):
            assert claim(Phone(cast.charlie), boxed.claim_code).status_code == 201

    def test_tries_are_limited_for_a_source_whoever_asks(self, cast: Cast, boxed: Registered) -> None:
        people = [create_person(email=f"p{n}@example.com", password=PASSWORD) for n in range(4)]
        statuses = [claim(Phone(people[n // 10]), f"GUESS-{n}").status_code for n in range(31)]
        assert statuses[-1] == 429

    def test_a_stranger_does_not_keep_the_rightful_owner_out(self, cast: Cast, boxed: Registered) -> None:
        for n in range(15):
            claim(Phone(cast.charlie, REMOTE_ADDR="203.0.113.9"), f"GUESS-{n}")
        assert claim(Phone(cast.alice, REMOTE_ADDR="192.0.2.1"), boxed.claim_code).status_code == 201


class TestSite:
    def test_several_sites_need_one_named(self, cast: Cast, boxed: Registered) -> None:
        second = create_site(name="Cottage", owner=cast.alice)
        phone = Phone(cast.alice)
        asked = claim(phone, boxed.claim_code)
        assert (asked.status_code, list(asked.json()["errors"])) == (400, ["site"])
        assert claim(phone, boxed.claim_code, site=str(second.pk)).json()["site"] == str(second.pk)

    @pytest.mark.parametrize(
        ("name", "site", "status"),
        [
            ("wendy", "workplace", 201),
            ("dan", "workplace", 403),
            ("ivy", "workplace", 403),
            ("alice", "workplace", 404),
        ],
    )
    def test_only_who_manages_a_site_adds_to_it(
        self, cast: Cast, boxed: Registered, name: str, site: str, status: int
    ) -> None:
        phone = Phone(cast.people[name])
        assert claim(phone, boxed.claim_code, site=str(getattr(cast, site).pk)).status_code == status


@pytest.mark.requirement("S1-18", "S1-19")
@pytest.mark.parametrize(
    "change",
    [
        {"identity": None},
        {"identity": ""},
        {"identity": "x" * 101},
        {"identity": ["AURA:0007"]},
        {"claim_code": "x" * 101},
        {"claim_code": {}},
        {"name": "x" * 101},
        {"name": "a\x00b"},
        {"free_charging": "perhaps"},
        {"site": 7.5},
        {"claimed": "2027-01-01T00:00:00Z"},
        {"epoch": 7},
        {"app_id_tag": "MINE"},
    ],
)
def test_odd_claims_are_refused_whole(cast: Cast, boxed: Registered, change: dict[str, object]) -> None:
    phone = Phone(cast.charlie)
    body = {"identity": "AURA:0007", "claim_code": boxed.claim_code, **change}
    refused = phone.send("POST", "charge-points", body)
    assert refused.status_code in (400, 404)
    assert ClaimCode.objects.get(charge_point=boxed.charge_point).used is None
    assert claim(phone, boxed.claim_code).status_code == 201


def test_nobody_claims_without_signing_in(boxed: Registered) -> None:
    refused = claim(Phone(), boxed.claim_code)
    assert (refused.status_code, refused.json()["code"]) == (401, "not-signed-in")
    assert Entry.objects.get(kind="access").detail == {"code": "not-signed-in", "call": "POST /api/v1/charge-points"}
