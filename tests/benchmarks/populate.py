"""Fill an installation with charge points that were here before: known, configured, their schedules on them.

Runs in the installation's own environment and prints what the load generator needs to be them, and their owners.
"""

import argparse
import hashlib
import json
import os
import secrets
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chargeamps.settings")

import django

django.setup()

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction

from chargeamps.accounts.models import User
from chargeamps.accounts.services import create_api_key, create_site
from chargeamps.chargers.models import ChargePoint, Connector, Credential, InstalledProfile
from chargeamps.common import clock
from chargeamps.gateway.charging_profiles import _stored_changes
from chargeamps.schedules.models import DelayDraw, StoredDelays
from chargeamps.schedules.services import delays


@transaction.atomic
def populate(count: int, owners: int) -> list[dict[str, object]]:
    """Make ``count`` charge points with two connectors; the first ``owners`` of them each belong to somebody."""
    now = clock.now()
    people = [_person(number) for number in range(owners)]
    charge_points = ChargePoint.objects.bulk_create(
        ChargePoint(
            identity=f"BENCH-{number:05d}",
            site=people[number][0] if number < owners else None,
            app_id_tag=secrets.token_hex(10),
            configuration_reported=now,
        )
        for number in range(count)
    )
    keys = [secrets.token_bytes(20) for _ in charge_points]
    credentials = []
    for charge_point, key in zip(charge_points, keys, strict=True):
        salt = secrets.token_bytes(16)
        digest = hashlib.sha256(salt + key).digest()
        credentials.append(Credential(charge_point=charge_point, salt=salt, digest=digest))
    Credential.objects.bulk_create(credentials)
    connectors = Connector.objects.bulk_create(
        Connector(charge_point=charge_point, number=number) for charge_point in charge_points for number in (1, 2)
    )
    _install_profiles(charge_points)
    return [
        {
            "identity": charge_point.identity,
            "key_hex": key.hex(),
            "id": str(charge_point.pk),
            "connectors": [str(connectors[2 * n].pk), str(connectors[2 * n + 1].pk)],
            "api_key": people[n][1] if n < owners else None,
            "cookie": people[n][2] if n < owners else None,
        }
        for n, (charge_point, key) in enumerate(zip(charge_points, keys, strict=True))
    ]


def _person(number: int):
    """(site, API key, session cookie) of a new owner."""
    user = User.objects.create(email=f"owner-{number}@example.com", name=f"Owner {number}")
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    site = create_site(name=f"Home {number}", owner=user)
    return site, create_api_key(user=user, name="bench"), f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def _install_profiles(charge_points: list[ChargePoint]) -> None:
    """Give all what the first one should have, as accepted: a reconnect then finds nothing to set."""
    now = clock.now()
    delays.replan(charge_point=charge_points[0].pk, now=now)
    StoredDelays.objects.update(start_accepted=True)
    _stored_changes(charge_points[0].pk, now)
    numbers = dict(Connector.objects.filter(charge_point=charge_points[0]).values_list("pk", "number"))
    others = {
        (charge_point, number): connector
        for connector, charge_point, number in Connector.objects.values_list("pk", "charge_point", "number")
    }
    _copy(StoredDelays, charge_points[1:], numbers, others)
    _copy(DelayDraw, charge_points[1:], numbers, others)
    InstalledProfile.objects.bulk_create(
        InstalledProfile(
            charge_point=charge_point,
            connector_number=row.connector_number,
            profile_id=row.profile_id,
            layer=row.layer,
            payload=row.payload,
            desired_digest=row.desired_digest,
            accepted_digest=row.desired_digest,
            accepted=clock.now(),
        )
        for row in InstalledProfile.objects.filter(charge_point=charge_points[0])
        for charge_point in charge_points[1:]
    )
    for row in InstalledProfile.objects.filter(charge_point=charge_points[0]):
        InstalledProfile.objects.filter(pk=row.pk).update(accepted_digest=row.desired_digest, accepted=clock.now())


def _copy(model: Any, charge_points: list[ChargePoint], numbers: dict[Any, int], others: dict[Any, Any]) -> None:
    """Give each charge point what the first one's connectors have."""
    names = [field.attname for field in model._meta.fields if field.attname != "id"]
    model.objects.bulk_create(
        model(
            **{name: getattr(drawn, name) for name in names}
            | {"connector_id": others[charge_point.pk, numbers[drawn.connector_id]]}
        )
        for drawn in model.objects.filter(connector__in=numbers)
        for charge_point in charge_points
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--owners", type=int, default=0)
    options = parser.parse_args()
    json.dump(populate(options.count, options.owners), sys.stdout)


if __name__ == "__main__":
    main()
