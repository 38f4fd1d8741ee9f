"""The people that all tests know, and their places.

Alice owns a home with an Aura; Bob shares it; Charlie has a home of his own and must see nothing of hers. Wendy runs a
workplace with an Aura where Dan drives and Ivy installs. Sam works in support.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.test import Client

from chargeamps.accounts.models import Membership, Site, User
from chargeamps.accounts.services import add_member, create_site
from chargeamps.chargers.models import ChargePoint, Connector
from chargeamps.chargers.services.registration import register_charge_point

PASSWORD = "a perfectly fine pass phrase"
Role = Membership.Role


@dataclass
class Cast:
    alice: User
    bob: User
    charlie: User
    wendy: User
    dan: User
    ivy: User
    sam: User
    home: Site
    charlies_home: Site
    workplace: Site
    aura: ChargePoint
    aura_key: bytes
    work_aura: ChargePoint
    people: dict[str, User] = field(default_factory=dict)

    @property
    def socket(self) -> Connector:
        """Socket 1 of Alice's Aura."""
        return self.aura.connectors.get(number=1)


def assemble() -> Cast:
    """Bring everybody on stage."""
    people = {
        name: User.objects.create_user(f"{name}@example.com", PASSWORD, name=name.title(), is_staff=name == "sam")
        for name in ("alice", "bob", "charlie", "wendy", "dan", "ivy", "sam")
    }
    home = create_site(name="Alice's home", owner=people["alice"])
    add_member(site=home, user=people["bob"], role=Role.USER)
    charlies_home = create_site(name="Charlie's home", owner=people["charlie"])
    workplace = create_site(name="Wendy's works", owner=people["wendy"], kind=Site.Kind.WORKPLACE)
    add_member(site=workplace, user=people["dan"], role=Role.DRIVER)
    add_member(site=workplace, user=people["ivy"], role=Role.INSTALLER)
    aura = register_charge_point(identity="AURA-ALICE", site=home)
    work_aura = register_charge_point(identity="AURA-WORK", site=workplace)
    return Cast(
        **people,
        home=home,
        charlies_home=charlies_home,
        workplace=workplace,
        aura=aura.charge_point,
        aura_key=aura.key,
        work_aura=work_aura.charge_point,
        people=people,
    )


class Phone(Client):
    """A browser as the app uses it: JSON, the CSRF header, an Idempotency-Key with every POST."""

    def __init__(self, user: User | None = None, **options: Any) -> None:
        super().__init__(enforce_csrf_checks=True, **options)
        if user is not None:
            self.force_login(user)
        self.get("/api/v1/me")

    def send(self, method: str, path: str, body: Any = None, *, key: str | None = None, **options: Any) -> Any:
        """Call ``/api/v1/{path}`` and return the response; its ``json()`` is the answer."""
        headers = {"X-CSRFToken": self.cookies["csrftoken"].value, **options.pop("headers", {})}
        if method == "POST":
            headers["Idempotency-Key"] = key or str(uuid4())
        data = {} if body is None else {"data": body, "content_type": "application/json"}
        return self.generic_json(method, f"/api/v1/{path}", headers=headers, **data, **options)

    def generic_json(self, method: str, path: str, **options: Any) -> Any:
        return getattr(self, method.lower())(path, **options)

    def sign_in(self, email: str, password: str = PASSWORD, **options: Any) -> Any:
        return self.send("POST", "auth/sign-in", {"email": email, "password": password}, **options)
