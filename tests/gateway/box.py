"""A charge point without a socket: what it says goes through the gateway's actions in the test's own transaction."""

from datetime import UTC, datetime
from typing import Any

from chargeamps.chargers.models import ChargePoint
from chargeamps.chargers.services.connections import Opened, open_connection
from chargeamps.common import clock
from chargeamps.gateway import actions
from chargeamps.gateway.source import Source

# A Wednesday, 17:30 in London: a peak hour.
NOW = datetime(2026, 7, 1, 16, 30, tzinfo=UTC)


def stamp(instant: datetime) -> str:
    return clock.isoformat(instant) or ""


class Box:
    """The newest socket of a registered charge point."""

    def __init__(self, charge_point: ChargePoint, key: bytes, *, process: str = "test", address: str = "10.0.0.7"):
        opened = open_connection(
            identity=charge_point.identity, key=key, process=process, source_address=address, now=clock.now()
        )
        assert opened is not None
        self.opened: Opened = opened
        self.source = Source(opened, charge_point.identity)
        self.flags: list[str] = []

    def say(self, action: str, payload: dict[str, Any] | None = None, *, received: datetime | None = None) -> Any:
        """Send a call; returns the result's payload. ``flags`` is what was odd about it."""
        handling = actions.begin(self.source, action, payload or {}, received or clock.now())
        if handling.operation is None:
            result = handling.result
        else:
            actions.require_newest(self.opened)
            result = handling.operation()
        self.flags = handling.reader.flags
        return result

    def status(self, status: str, *, connector: int = 1, at: datetime | None = None, **more: Any) -> None:
        report = {"connectorId": connector, "errorCode": "NoError", "status": status, **more}
        assert self.say("StatusNotification", report | ({"timestamp": stamp(at)} if at else {})) == {}

    def start(self, *, connector: int = 1, id_tag: str = "", meter: int = 1000, at: datetime | None = None) -> int:
        """StartTransaction; returns its number."""
        answer = self.say(
            "StartTransaction",
            {
                "connectorId": connector,
                "idTag": id_tag,
                "meterStart": meter,
                "timestamp": stamp(at or clock.now()),
            },
        )
        number: int = answer["transactionId"]
        return number

    def stop(self, number: Any, *, meter: int = 2000, at: datetime | None = None) -> None:
        answer = self.say(
            "StopTransaction",
            {"transactionId": number, "meterStop": meter, "timestamp": stamp(at or clock.now())},
        )
        assert answer == {}

    def meter(
        self,
        *,
        wh: float | None = None,
        power_w: float | None = None,
        number: Any = None,
        connector: int = 1,
        at: datetime | None = None,
    ) -> None:
        sampled = []
        if wh is not None:
            sampled.append({"value": str(wh), "measurand": "Energy.Active.Import.Register"})
        if power_w is not None:
            sampled.append({"value": str(power_w), "measurand": "Power.Active.Import"})
        report: dict[str, Any] = {
            "connectorId": connector,
            "meterValue": [{"timestamp": stamp(at or clock.now()), "sampledValue": sampled}],
        }
        if number is not None:
            report["transactionId"] = number
        assert self.say("MeterValues", report) == {}
