"""Sessions that were, written straight into the tables."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from chargeamps.chargers.models import Connector
from chargeamps.usage.models import ChargingSession
from chargeamps.usage.services.sessions import local_day

# Random ones would meet each other among 200,000.
_NUMBERS = count(1)


def past_session(connector: Connector, started: datetime, *, wh: int = 7000, minutes: int = 60, **more: Any):
    """A finished session; ``wh`` imported, flowing all the time."""
    return ChargingSession.objects.create(**_fields(connector, started, wh, minutes) | more)


def past_sessions(connector: Connector, starts: Iterable[datetime], **more: Any) -> int:
    """Many at once; each moves a little more than the one before it."""
    rows = [
        ChargingSession(**_fields(connector, started, 5000 + n % 1000, 60) | {"id_tag": f"TAG{n % 50:05d}"} | more)
        for n, started in enumerate(starts)
    ]
    ChargingSession.objects.bulk_create(rows, batch_size=2000)
    return len(rows)


def _fields(connector: Connector, started: datetime, wh: int, minutes: int) -> dict[str, Any]:
    charge_point = connector.charge_point
    return {
        "charge_point": charge_point,
        "connector": connector,
        "site_id": charge_point.site_id,
        "transaction_id": next(_NUMBERS),
        "start_key": hashlib.sha256(f"{connector.pk}{started.isoformat()}".encode()).hexdigest(),
        "started": started,
        "start_received": started,
        "local_day": local_day(started, charge_point),
        "stopped": started + timedelta(minutes=minutes),
        "stop_received": started + timedelta(minutes=minutes),
        "meter_start_wh": 1000,
        "meter_stop_wh": 1000 + wh,
        "energy_import_wh": wh,
        "flow_seconds": minutes * 60,
        "flow_ms": minutes * 60_000,
    }
