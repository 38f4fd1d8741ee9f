import pytest
from django.test import Client

from chargeamps.common.admin import site
from chargeamps.securitylog.models import Entry
from tests.cast import PASSWORD, Cast


@pytest.fixture
def operator(cast: Cast) -> Client:
    cast.sam.is_superuser = True
    cast.sam.save()
    client = Client()
    response = client.post("/admin/login/?next=/admin/", {"username": "sam@example.com", "password": PASSWORD})
    assert response.status_code == 302
    return client


@pytest.mark.requirement("S1-25")
def test_only_operators_get_in(cast: Cast) -> None:
    for user in (cast.alice, cast.sam):
        client = Client()
        client.force_login(user)
        assert client.get("/admin/accounts/user/").status_code == 302
    assert Client().get("/admin/").status_code == 302


@pytest.mark.requirement("S1-30")
def test_its_sign_in_is_limited_and_logged_like_the_app_s(cast: Cast, operator: Client) -> None:
    stranger = Client(REMOTE_ADDR="203.0.113.9")
    guesses = [{"username": "sam@example.com", "password": f"guess {n}"} for n in range(7)]
    pages = [stranger.post("/admin/login/", guess) for guess in guesses]
    assert b"Too many tries" in pages[-1].content
    assert Entry.objects.filter(kind="sign-in", outcome="failure", actor=str(cast.sam.pk)).count() == 5
    assert Entry.objects.filter(kind="sign-in", outcome="success", actor=str(cast.sam.pk)).count() == 1


def test_every_list_and_row_can_be_looked_at_and_nothing_changed(cast: Cast, operator: Client) -> None:
    for model, model_admin in site._registry.items():
        listing = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert operator.get(listing).status_code == 200
        assert operator.get(f"{listing}add/").status_code == 403
        assert not model_admin.has_delete_permission(None)  # type: ignore[arg-type]
        row = model._default_manager.first()
        if row is not None:
            assert operator.get(f"{listing}{row.pk}/change/").status_code == 200
            assert operator.post(f"{listing}{row.pk}/change/", {"name": "changed"}).status_code == 403


@pytest.mark.requirement("S1-15")
def test_no_secret_is_shown(cast: Cast, operator: Client) -> None:
    shown = operator.get(f"/admin/chargers/chargepoint/{cast.aura.pk}/change/").content.decode()
    assert cast.aura.identity in shown
    assert cast.aura.app_id_tag not in shown
    person = operator.get(f"/admin/accounts/user/{cast.alice.pk}/change/").content.decode()
    assert cast.alice.password not in person
