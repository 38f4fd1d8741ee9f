"""Plan every charge point of an installation anew and compare with what stands on it, as the gateway does.

Runs in the installation's own environment; prints the seconds of a core, and how many calls would be made.
"""

import json
import os
import time
from collections.abc import Iterable
from uuid import UUID

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chargeamps.settings")

import django

django.setup()

from chargeamps.accounts.models import User
from chargeamps.chargers.models import ChargePoint, Connector
from chargeamps.common import clock
from chargeamps.gateway.charging_profiles import _stored_changes
from chargeamps.schedules.services.hours import choose

WINDOWS = [{"days": ["monday"], "start": "01:00", "end": "05:00"}]


def calls(keys: Iterable[UUID]) -> int:
    """The calls that would be made to these charge points now."""
    found = [_stored_changes(key, clock.now()) for key in keys]
    return sum(len(to_set) + len(to_clear) for to_set, to_clear in found)


def main() -> None:
    keys = list(ChargePoint.objects.order_by("identity").values_list("pk", flat=True))
    calls(keys[:5])  # what is read once a process
    began = time.process_time()
    idle = calls(keys)
    seconds = time.process_time() - began
    first = ChargePoint.objects.select_related("site").get(pk=keys[0])
    assert first.site is not None
    owner = User.objects.get(memberships__site=first.site)
    choose(site=first.site, user=owner, choice="changed", windows=WINDOWS)
    changed, others = calls(keys[:1]), calls(keys[1:21])
    print(
        json.dumps(
            {
                "connectors": Connector.objects.count(),
                "seconds": seconds,
                "idle_calls": idle,
                "changed_calls": changed,
                "others_calls": others,
            }
        )
    )


if __name__ == "__main__":
    main()
