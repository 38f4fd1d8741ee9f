"""Fill a server's database with the cast, in a process of its own (``Installation.run``); returns what tests need."""

import hashlib
import json
import secrets
from pathlib import Path

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction

from chargeamps.accounts.models import User
from chargeamps.accounts.services import create_api_key
from chargeamps.chargers.models import ChargePoint, Credential
from chargeamps.chargers.services.credentials import issue_key
from chargeamps.chargers.services.registration import register_charge_point
from tests.cast import assemble

VECTORS = Path(__file__).parent.parent / "vectors" / "authorization-keys.json"


def cookie_of(user: User) -> str:
    """A browser's session cookie for somebody who is signed in."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def told(charge_point: ChargePoint, key: bytes) -> dict[str, object]:
    connectors = charge_point.connectors.order_by("number")
    return {"id": str(charge_point.pk), "key_hex": key.hex(), "connectors": [str(c.pk) for c in connectors]}


@transaction.atomic
def populate(more: int, *, vectors: bool) -> dict[str, object]:
    """The cast, and at Alice's home ``more`` charge points AURA-1, AURA-2 … where anybody may charge."""
    cast = assemble()
    charge_points = {
        "AURA-ALICE": told(cast.aura, cast.aura_key),
        "AURA-WORK": told(cast.work_aura, issue_key(cast.work_aura)),
    }
    for number in range(1, more + 1):
        made = register_charge_point(identity=f"AURA-{number}", site=cast.home)
        charge_points[f"AURA-{number}"] = told(made.charge_point, made.key)
    ChargePoint.objects.filter(site=cast.home).update(free_charging=True)
    for vector in json.loads(VECTORS.read_text())["vectors"] if vectors else ():
        made = register_charge_point(identity=vector["identity"], site=cast.workplace)
        key, salt = bytes.fromhex(vector["raw_hex"]), secrets.token_bytes(16)
        Credential.objects.filter(charge_point=made.charge_point).update(
            salt=salt, digest=hashlib.sha256(salt + key).digest()
        )
        charge_points[vector["identity"]] = told(made.charge_point, key)
    return {
        "people": {
            name: {"id": str(user.pk), "key": create_api_key(user=user, name="tests"), "cookie": cookie_of(user)}
            for name, user in cast.people.items()
        },
        "charge_points": charge_points,
        "sites": {"home": str(cast.home.pk), "work": str(cast.workplace.pk)},
    }
