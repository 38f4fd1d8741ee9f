import json

import pytest
from django.core.management import CommandError, call_command

from chargeamps.chargers.models import ChargePoint, Credential
from chargeamps.chargers.services.credentials import matches
from chargeamps.chargers.services.registration import register_charge_point
from chargeamps.common.problems import Conflict, Invalid
from chargeamps.securitylog.models import Entry
from tests.cast import Cast, Phone


def add(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    call_command("add_charge_point", *arguments, "--json")
    printed: dict[str, object] = json.loads(capsys.readouterr().out)
    return printed


def test_the_command_prints_what_charger_and_owner_need(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    made = add(capsys, "AURA-0001")
    charge_point = ChargePoint.objects.get(identity="AURA-0001")
    assert made["id"] == str(charge_point.pk)
    assert [c["number"] for c in made["connectors"]] == [1, 2]  # type: ignore[attr-defined]
    row = Credential.objects.get(charge_point=charge_point)
    assert matches(str(made["key_hex"]).encode(), bytes(row.salt), bytes(row.digest))
    claimed = Phone(cast.charlie).send(
        "POST", "charge-points", {"identity": "AURA-0001", "claim_code": made["claim_code"]}
    )
    assert claimed.status_code == 201


def test_with_a_site_it_belongs_there_at_once_and_has_no_code(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    made = add(capsys, "AURA-0001", "--site", str(cast.home.pk), "--connectors", "1")
    assert made["claim_code"] is None
    seen = Phone(cast.alice).get(f"/api/v1/charge-points/{made['id']}").json()
    assert [c["number"] for c in seen["connectors"]] == [1]


@pytest.mark.parametrize("site", ["none", "6f9619ff-8b86-4d01-b42d-00c04fc964ff"])
def test_an_unknown_site_is_told(db: None, site: str) -> None:
    with pytest.raises(CommandError, match="There is no site"):
        call_command("add_charge_point", "AURA-0001", "--site", site)


@pytest.mark.parametrize("identity", ["a", "AURA:0002", "x" * 48, "%00", "..", "A_B-C.D~E"])
def test_an_identity_is_printable_ascii(db: None, identity: str) -> None:
    assert register_charge_point(identity=identity).charge_point.identity == identity


@pytest.mark.parametrize("identity", ["", "x" * 49, "A B", "A/B", "A\tB", "A\x00B", "Åura", "A\u2011B", "A\n"])
def test_another_identity_is_refused(db: None, identity: str) -> None:
    with pytest.raises(Invalid):
        register_charge_point(identity=identity)
    assert not Entry.objects.exists()


def test_an_identity_is_given_once_whatever_its_case(db: None) -> None:
    register_charge_point(identity="AURA-0001")
    for identity in ("AURA-0001", "aura-0001"):
        with pytest.raises(Conflict) as refused:
            register_charge_point(identity=identity)
        assert refused.value.code == "identity-taken"
    with pytest.raises(CommandError, match="already a charge point"):
        call_command("add_charge_point", "Aura-0001")


@pytest.mark.requirement("S1-04", "S1-15")
def test_secrets_are_unique_and_nowhere_in_the_clear(db: None) -> None:
    made = [register_charge_point(identity=f"AURA-{n}") for n in range(50)]
    assert len({one.key for one in made}) == len({one.claim_code for one in made}) == 50
    assert len({one.charge_point.app_id_tag for one in made}) == 50
    stored = str([*ChargePoint.objects.values(), *Credential.objects.values(), *Entry.objects.values()])
    for one in made:
        assert one.key.decode() not in stored
        assert one.key.hex() not in stored
        assert str(one.claim_code) not in stored
