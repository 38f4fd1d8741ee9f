from chargeamps.usage.models.exports import Export, ExportPart
from chargeamps.usage.models.power import PowerBlock, Watch
from chargeamps.usage.models.sessions import ChargingSession, PlugEvent, UnmatchedStop
from chargeamps.usage.models.tariffs import Tariff

__all__ = [
    "ChargingSession",
    "Export",
    "ExportPart",
    "PlugEvent",
    "PowerBlock",
    "Tariff",
    "UnmatchedStop",
    "Watch",
]
