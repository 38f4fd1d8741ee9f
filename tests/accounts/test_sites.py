import pytest

from chargeamps.accounts.access import access_site
from chargeamps.common.problems import NotFound, NotPermitted
from chargeamps.securitylog.models import Entry
from tests.cast import Cast, Phone


def test_people_see_the_sites_they_belong_to_with_their_role(cast: Cast) -> None:
    roles = {
        name: [site["role"] for site in Phone(user).get("/api/v1/sites").json()["results"]]
        for name, user in cast.people.items()
    }
    assert roles == {
        "alice": ["owner"],
        "bob": ["user"],
        "charlie": ["owner"],
        "wendy": ["administrator"],
        "dan": ["driver"],
        "ivy": ["installer"],
        "sam": [],
    }


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_a_member_sees_the_site(cast: Cast, name: str) -> None:
    response = Phone(cast.people[name]).get(f"/api/v1/sites/{cast.home.pk}")
    assert (response.status_code, response.json()["name"]) == (200, "Alice's home")


@pytest.mark.requirement("S1-25", "S1-30")
def test_foreign_missing_and_malformed_look_the_same_and_are_logged(cast: Cast) -> None:
    phone = Phone(cast.charlie)
    ids = [str(cast.home.pk), "0" * 8 + str(cast.home.pk)[8:], "none", "%00"]
    answers = [phone.get(f"/api/v1/sites/{one}") for one in ids]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    entries = Entry.objects.filter(kind="access", actor=str(cast.charlie.pk))
    assert entries.count() == 4
    assert entries.order_by("sequence")[0].detail == {"code": "not-found", "object": "site", "id": str(cast.home.pk)}


def test_staff_see_no_more_than_others(cast: Cast) -> None:
    assert Phone(cast.sam).get(f"/api/v1/sites/{cast.home.pk}").status_code == 404


def test_only_managing_roles_manage(cast: Cast) -> None:
    assert access_site(cast.alice, cast.home.pk, manage=True).role == "owner"
    assert access_site(cast.wendy, cast.workplace.pk, manage=True).role == "administrator"
    for user, site in ((cast.bob, cast.home), (cast.dan, cast.workplace), (cast.ivy, cast.workplace)):
        assert access_site(user, site.pk).site == site
        with pytest.raises(NotPermitted):
            access_site(user, site.pk, manage=True)
    with pytest.raises(NotFound):
        access_site(cast.charlie, cast.home.pk, manage=True)


def test_a_script_that_tries_ids_does_not_flood_the_log(cast: Cast) -> None:
    phone = Phone(cast.charlie)
    for _ in range(40):
        assert phone.get(f"/api/v1/sites/{cast.home.pk}").status_code == 404
    assert Entry.objects.filter(kind="access").count() == 30
