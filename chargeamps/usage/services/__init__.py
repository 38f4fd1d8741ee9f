"""Writes of what was used. One act each; see the modules."""

from chargeamps.usage.services.readings import flow_reported, plug_reported, store_readings
from chargeamps.usage.services.recounting import recount_waiting
from chargeamps.usage.services.sessions import (
    FREE_CHARGING_ID_TAG,
    Started,
    may_charge,
    start_transaction,
    stop_transaction,
)

__all__ = [
    "FREE_CHARGING_ID_TAG",
    "Started",
    "flow_reported",
    "may_charge",
    "plug_reported",
    "recount_waiting",
    "start_transaction",
    "stop_transaction",
    "store_readings",
]
