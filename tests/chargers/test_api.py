from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from pytest_django import DjangoAssertNumQueries

from chargeamps.chargers.models import ChargePoint, Command, ConfigurationKey, InstalledProfile
from chargeamps.chargers.selectors import charge_point_json
from chargeamps.chargers.services import commands
from chargeamps.chargers.services.registration import register_charge_point
from chargeamps.common import clock
from chargeamps.securitylog.models import Entry
from tests.cast import Cast, Phone

EVERYBODY = ("alice", "bob", "charlie", "wendy", "dan", "ivy", "sam", None)


def phone_of(cast: Cast, name: str | None) -> Phone:
    return Phone(cast.people[name]) if name else Phone()


def connect(charge_point: ChargePoint) -> None:
    ChargePoint.objects.filter(pk=charge_point.pk).update(connected_since=clock.now(), last_contact=clock.now())
    charge_point.refresh_from_db()


@pytest.mark.requirement("S1-25")
@pytest.mark.parametrize(
    ("call", "body", "allowed", "forbidden"),
    [
        ("GET ", None, {"wendy", "dan", "ivy"}, set()),
        ("PATCH ", {"name": "New"}, {"wendy"}, {"dan", "ivy"}),
        ("GET /configuration", None, {"wendy", "ivy"}, {"dan"}),
        ("GET /commands", None, {"wendy", "dan", "ivy"}, set()),
        ("POST /commands", {"kind": "refresh"}, {"wendy", "dan"}, {"ivy"}),
        ("POST /commands", {"kind": "unlock", "connector": 1}, {"wendy", "dan"}, {"ivy"}),
        ("POST /commands", {"kind": "reset"}, {"wendy"}, {"dan", "ivy"}),
    ],
)
def test_who_may_do_what(cast: Cast, call: str, body: Any, allowed: set[str], forbidden: set[str]) -> None:
    method, path = call.split(" ")
    connect(cast.work_aura)
    missing = "00000000-0000-4000-8000-000000000000"
    for name in EVERYBODY:
        phone = phone_of(cast, name)
        response = phone.send(method, f"charge-points/{cast.work_aura.pk}{path}", body)
        if name in allowed:
            assert response.status_code in (200, 202), name
        elif name in forbidden:
            assert (response.status_code, response.json()["code"]) == (403, "not-permitted"), name
        elif name:
            assert response.status_code == 404, name
            assert response.content == phone.send(method, f"charge-points/{missing}{path}", body).content
        else:
            assert (response.status_code, response.json()["code"]) == (401, "not-signed-in")


def test_the_list_holds_the_charge_points_of_my_sites(cast: Cast) -> None:
    seen = {
        name: [row["identity"] for row in phone_of(cast, name).get("/api/v1/charge-points").json()["results"]]
        for name in EVERYBODY
        if name
    }
    home, work = ["AURA-ALICE"], ["AURA-WORK"]
    assert seen == {"alice": home, "bob": home, "charlie": [], "wendy": work, "dan": work, "ivy": work, "sam": []}


def test_a_list_costs_the_same_queries_however_long(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    phone = Phone(cast.alice)
    for number in range(8):
        register_charge_point(identity=f"AURA-{number}", site=cast.home)
    with django_assert_num_queries(6):  # session, person, roles, charge points, connectors, profiles
        assert len(phone.get("/api/v1/charge-points").json()["results"]) == 9


class TestPages:
    def test_pages_follow_one_another(self, cast: Cast) -> None:
        for number in range(6):
            register_charge_point(identity=f"AURA-{number}", site=cast.home)
        phone, url = Phone(cast.alice), "/api/v1/charge-points?limit=3"
        pages = []
        while url:
            pages.append(phone.get(url).json())
            url = pages[-1]["next"]
        seen = [[row["identity"] for row in page["results"]] for page in pages]
        assert seen == [["AURA-5", "AURA-4", "AURA-3"], ["AURA-2", "AURA-1", "AURA-0"], ["AURA-ALICE"]]
        back = phone.get(phone.get(pages[2]["previous"]).json()["previous"]).json()
        assert [row["identity"] for row in back["results"]] == seen[0]

    @pytest.mark.parametrize(
        "query",
        [
            "limit=0",
            "limit=-1",
            "limit=x",
            "limit=",
            "limit=1e3",
            "limit=٣",
            "cursor=x",
            "cursor=cD14",
            "cursor=cD0lMDA=",
        ],
    )
    def test_odd_pages_are_refused(self, cast: Cast, query: str) -> None:
        response = Phone(cast.alice).get(f"/api/v1/charge-points?{query}")
        assert (response.status_code, response.json()["code"]) == (400, "invalid")

    def test_a_page_has_200_rows_at_most(self, cast: Cast) -> None:
        assert Phone(cast.alice).get("/api/v1/charge-points?limit=100000").status_code == 200


def test_a_charge_point_in_full(cast: Cast) -> None:
    aura = cast.aura
    ChargePoint.objects.filter(pk=aura.pk).update(
        name="Drive",
        vendor="Charge Amps AB",
        model="Aura",
        firmware_version="2.1",
        connected_since="2027-01-01T12:00:00Z",
        last_contact="2027-01-01T12:00:05.25Z",
    )
    body = Phone(cast.alice).get(f"/api/v1/charge-points/{aura.pk}").json()
    assert body == {
        "id": str(aura.pk),
        "identity": "AURA-ALICE",
        "name": "Drive",
        "site": str(cast.home.pk),
        "vendor": "Charge Amps AB",
        "model": "Aura",
        "serial_number": None,
        "firmware_version": "2.1",
        "online": True,
        "connected_since": "2027-01-01T12:00:00.000Z",
        "offline_since": None,
        "last_contact": "2027-01-01T12:00:05.250Z",
        "free_charging": False,
        "installation_limit_a": None,
        "notices": [],
        "schedule_on_charger": {"state": "not_yet", "text": body["schedule_on_charger"]["text"]},
        "connectors": [{"id": str(c.pk), "number": c.number} for c in aura.connectors.order_by("number")],
        "actions": ["reset", "unlock", "refresh"],
    }
    assert Phone(cast.bob).get(f"/api/v1/charge-points/{aura.pk}").json()["actions"] == ["unlock", "refresh"]
    assert charge_point_json(ChargePoint.objects.get(pk=aura.pk)) == body


def test_offline_it_says_since_when_and_offers_nothing(cast: Cast) -> None:
    ChargePoint.objects.filter(pk=cast.aura.pk).update(disconnected_since="2027-01-01T12:00:00Z")
    body = Phone(cast.alice).get(f"/api/v1/charge-points/{cast.aura.pk}").json()
    assert (body["online"], body["offline_since"], body["actions"]) == (False, "2027-01-01T12:00:00.000Z", [])


@pytest.mark.parametrize(
    ("profiles", "online", "state"),
    [
        ([], True, "not_yet"),
        ([("new", "new", "new", "")], True, "verified"),
        ([("new", "new", "new", ""), ("new", "new", "", "")], True, "unknown"),
        ([("new", "new", "new", ""), ("new", "", "", "")], True, "sending"),
        ([("new", "old", "old", "")], True, "sending"),
        ([("new", "old", "old", "")], False, "unknown"),
        ([("new", "", "", "too many periods")], True, "refused"),
        ([("new", "new", "new", "an earlier refusal")], True, "verified"),
    ],
)
def test_the_schedule_counts_as_there_only_when_the_charger_proved_it(
    cast: Cast, profiles: list[tuple[str, str, str, str]], online: bool, state: str
) -> None:
    if online:
        connect(cast.aura)
    for number, (desired, accepted, verified, refusal) in enumerate(profiles):
        InstalledProfile.objects.create(
            charge_point=cast.aura,
            connector_number=1,
            profile_id=number,
            layer="default",
            payload={},
            desired_digest=desired,
            accepted_digest=accepted,
            verified_digest=verified,
            refusal=refusal,
        )
    told = Phone(cast.alice).get(f"/api/v1/charge-points/{cast.aura.pk}").json()["schedule_on_charger"]
    assert told["state"] == state
    assert (profiles[0][3] in told["text"]) if state == "refused" else told["text"]


class TestSettings:
    def test_a_change_is_kept_and_who_may_charge_is_logged(self, cast: Cast) -> None:
        phone = Phone(cast.alice)
        changed = phone.send("PATCH", f"charge-points/{cast.aura.pk}", {"name": "Garage", "free_charging": True})
        assert (changed.json()["name"], changed.json()["free_charging"]) == ("Garage", True)
        phone.send("PATCH", f"charge-points/{cast.aura.pk}", {"name": "Shed", "free_charging": True})
        assert phone.get(f"/api/v1/charge-points/{cast.aura.pk}").json()["name"] == "Shed"
        assert [row.detail for row in Entry.objects.filter(kind="settings-changed")] == [{"free_charging": True}]

    @pytest.mark.requirement("S1-18", "S1-19")
    @pytest.mark.parametrize(
        "body",
        [
            {"name": None},
            {"name": "x" * 101},
            {"free_charging": None},
            {"free_charging": "often"},
            {"identity": "MINE"},
            {"site": "00000000-0000-4000-8000-000000000000"},
            {"app_id_tag": "X"},
            {"epoch": 9},
            {"connected_since": None},
        ],
    )
    def test_nothing_else_can_be_set(self, cast: Cast, body: dict[str, object]) -> None:
        before = ChargePoint.objects.filter(pk=cast.aura.pk).values()[0]
        response = Phone(cast.alice).send("PATCH", f"charge-points/{cast.aura.pk}", body)
        assert (response.status_code, list(response.json()["errors"])) == (400, list(body))
        assert ChargePoint.objects.filter(pk=cast.aura.pk).values()[0] == before


def test_the_configuration_is_as_the_charger_reported_it(cast: Cast) -> None:
    path = f"/api/v1/charge-points/{cast.aura.pk}/configuration"
    assert Phone(cast.alice).get(path).json() == {"reported_at": None, "keys": []}
    ChargePoint.objects.filter(pk=cast.aura.pk).update(configuration_reported="2027-01-01T12:00:00Z")
    ConfigurationKey.objects.create(charge_point=cast.aura, key="HeartbeatInterval", value="300")
    ConfigurationKey.objects.create(charge_point=cast.aura, key="AuthorizationKey", value=None)
    assert Phone(cast.alice).get(path).json() == {
        "reported_at": "2027-01-01T12:00:00.000Z",
        "keys": [
            {"key": "AuthorizationKey", "value": None, "read_only": False},
            {"key": "HeartbeatInterval", "value": "300", "read_only": False},
        ],
    }


class TestCommands:
    @pytest.fixture(autouse=True)
    def online(self, cast: Cast) -> None:
        connect(cast.aura)

    def ask(self, cast: Cast, body: object) -> Any:
        return Phone(cast.alice).send("POST", f"charge-points/{cast.aura.pk}/commands", body)

    @pytest.mark.parametrize(
        ("body", "parameters"),
        [
            ({"kind": "reset"}, {"type": "soft"}),
            ({"kind": "reset", "parameters": {"type": "hard"}}, {"type": "hard"}),
            ({"kind": "unlock", "connector": 2}, {}),
            ({"kind": "refresh", "connector": None}, {}),
            ({"kind": "set-availability", "connector": 1, "parameters": {"available": False}}, {"available": False}),
        ],
    )
    def test_a_command_is_asked_for_and_can_be_followed(
        self, cast: Cast, body: dict[str, Any], parameters: dict[str, object]
    ) -> None:
        with patch.object(commands, "request", wraps=commands.request) as asked:
            response = self.ask(cast, body)
        assert response.status_code == 202
        given = asked.call_args.kwargs
        assert (given["charge_point"], given["user"], given["parameters"]) == (cast.aura, cast.alice, parameters)
        number = given["connector"].number if given["connector"] else None
        assert number == body.get("connector")
        command = response.json()
        assert (command["kind"], command["state"], command["reason"]) == (body["kind"], "queued", None)
        for phone in (Phone(cast.alice), Phone(cast.bob)):
            assert phone.get(f"/api/v1/commands/{command['id']}").json() == command
            assert phone.get(f"/api/v1/charge-points/{cast.aura.pk}/commands").json()["results"] == [command]

    @pytest.mark.requirement("S1-25")
    def test_another_persons_command_is_not_found(self, cast: Cast) -> None:
        command = self.ask(cast, {"kind": "refresh"}).json()["id"]
        for name in ("charlie", "wendy", "sam"):
            assert phone_of(cast, name).get(f"/api/v1/commands/{command}").status_code == 404

    @pytest.mark.requirement("S1-18")
    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"kind": "charge-now"},
            {"kind": "explode"},
            {"kind": ["reset"]},
            {"kind": "reset", "parameters": {"type": "medium"}},
            {"kind": "reset", "parameters": {"available": True}},
            {"kind": "reset", "parameters": "hard"},
            {"kind": "unlock"},
            {"kind": "unlock", "connector": 3},
            {"kind": "unlock", "connector": -1},
            {"kind": "unlock", "connector": 10**30},
            {"kind": "unlock", "connector": 1.5},
            {"kind": "set-availability", "connector": 1},
            {"kind": "refresh", "state": "verified"},
        ],
    )
    def test_odd_commands_are_refused(self, cast: Cast, body: object) -> None:
        response = self.ask(cast, body)
        assert (response.status_code, response.json()["code"]) == (400, "invalid")
        assert not Command.objects.exists()

    def test_offline_it_is_refused_at_once(self, cast: Cast) -> None:
        ChargePoint.objects.filter(pk=cast.aura.pk).update(connected_since=None)
        response = self.ask(cast, {"kind": "reset"})
        assert (response.status_code, response.json()["code"]) == (409, "charger-offline")
        assert not Command.objects.exists()

    def test_a_reason_is_told_in_code_and_words(self, cast: Cast) -> None:
        now = clock.now()
        command = Command.objects.create(
            charge_point=cast.aura,
            kind="reset",
            state="rejected",
            reason_code="busy",
            reason_text="It is busy.",
            answered=now,
            deadline=now + timedelta(minutes=1),
        )
        told = Phone(cast.alice).get(f"/api/v1/commands/{command.pk}").json()
        assert (told["state"], told["reason"]) == ("rejected", {"code": "busy", "text": "It is busy."})
        assert told["answered"] == clock.isoformat(now)
