"""Property: whatever a bad network does to a charger's messages, the totals are those of the undisturbed run."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from chargeamps.chargers.models import ChargePoint
from chargeamps.chargers.services.credentials import issue_key
from chargeamps.chargers.services.registration import register_charge_point
from chargeamps.usage.models import ChargingSession
from chargeamps.usage.services import recount_waiting
from tests.gateway.box import NOW, Box, stamp

FIGURES = ("energy_import_wh", "energy_export_wh", "flow_seconds", "meter_start_wh", "meter_stop_wh", "readings")


class Network(RuleBasedStateMachine):
    """One socket charges car after car; its messages wait in a queue that shuffles, doubles, delays and drops lines.

    A second charge point gets each message at once and once: the undisturbed run.
    """

    def __init__(self) -> None:
        super().__init__()
        self.second = 0
        self.register = 1000.0
        self.exported = 0.0
        self.session: int | None = None
        self.sessions = 0
        self.waiting: list[tuple[str, dict[str, Any], int]] = []
        self.numbers: dict[str, dict[int, int]] = {"good": {}, "bad": {}}

    @initialize()
    def connect(self) -> None:
        self.travel = time_machine.travel(NOW + timedelta(days=30), tick=False)
        self.travel.start()
        self.points = {name: register_charge_point(identity=f"{name}-{id(self)}") for name in ("good", "bad")}
        ChargePoint.objects.update(free_charging=True)
        self.boxes = {name: Box(point.charge_point, point.key) for name, point in self.points.items()}

    def teardown(self) -> None:
        if not hasattr(self, "travel"):
            return
        try:
            if self.session is not None:
                self.stop()
            self.deliver_all()
            recount_waiting()
            self.compare()
        finally:
            self.travel.stop()

    def say(self, action: str, payload: dict[str, Any]) -> None:
        timed = {"timestamp": stamp(NOW + timedelta(seconds=self.second)), **payload}
        if action == "MeterValues":
            timed = {
                "connectorId": 1,
                "meterValue": [{"timestamp": timed["timestamp"], "sampledValue": payload["values"]}],
            }
        self._send("good", action, timed, self.sessions)
        self.waiting.append((action, timed, self.sessions))

    def _send(self, name: str, action: str, payload: dict[str, Any], session: int) -> None:
        number = self.numbers[name].get(session)
        if action == "StopTransaction":
            # Offline a charger invents a number until its start is answered.
            payload = {**payload, "transactionId": number if number is not None else -1}
        elif action == "MeterValues" and number is not None:
            payload = {**payload, "transactionId": number}
        answer = self.boxes[name].say(action, payload)
        if action == "StartTransaction":
            known = self.numbers[name].setdefault(session, answer["transactionId"])
            assert known == answer["transactionId"]

    @rule(seconds=st.integers(1, 400))
    def time_passes(self, seconds: int) -> None:
        self.second += seconds

    @rule()
    def start(self) -> None:
        if self.session is None:
            self.second += 1
            self.sessions += 1
            self.session = self.sessions
            payload = {"connectorId": 1, "idTag": "A", "meterStart": round(self.register)}
            self.say("StartTransaction", payload)

    @rule(watts=st.integers(1000, 22000), seconds=st.integers(1, 600), exports=st.booleans(), told=st.booleans())
    def charge(self, watts: int, seconds: int, exports: bool, told: bool) -> None:
        if self.session is None:
            return
        self.second += seconds
        if exports:
            self.exported += watts * seconds / 3600
        else:
            self.register += watts * seconds / 3600
        if told:
            values = [
                {"value": f"{self.register:.1f}"},
                {"value": f"{self.exported:.1f}", "measurand": "Energy.Active.Export.Register"},
                {"value": str(watts), "measurand": f"Power.Active.{'Export' if exports else 'Import'}"},
            ]
            self.say("MeterValues", {"values": values})

    @rule(flowing=st.booleans())
    def status(self, flowing: bool) -> None:
        if self.session is not None:
            self.second += 1
            status = "Charging" if flowing else "SuspendedEV"
            self.say("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": status})

    @rule()
    def stop(self) -> None:
        if self.session is not None:
            self.second += 1
            self.session = None
            self.say("StopTransaction", {"meterStop": round(self.register), "reason": "Local"})
            self.second += 1

    @rule(data=st.data())
    def deliver_one(self, data: st.DataObject) -> None:
        if self.waiting:
            place = data.draw(st.integers(0, len(self.waiting) - 1))
            self._send("bad", *self.waiting.pop(place))

    @rule(data=st.data())
    def deliver_without_an_answer(self, data: st.DataObject) -> None:
        """What was stored but not answered is sent again, whenever."""
        if self.waiting:
            self._send("bad", *self.waiting[data.draw(st.integers(0, len(self.waiting) - 1))])

    @rule()
    def lose_the_connection(self) -> None:
        point = self.points["bad"].charge_point
        self.boxes["bad"] = Box(point, issue_key(point))

    def deliver_all(self) -> None:
        while self.waiting:
            self._send("bad", *self.waiting.pop())

    @invariant()
    def nothing_is_negative_or_doubled(self) -> None:
        if hasattr(self, "points"):
            assert self.of("bad").count() <= self.sessions

    def of(self, name: str) -> Any:
        return ChargingSession.objects.filter(charge_point=self.points[name].charge_point).order_by("started")

    def compare(self) -> None:
        good, bad = ([[getattr(s, name) for name in FIGURES] for s in self.of(which)] for which in ("good", "bad"))
        assert bad == good
        assert [s.stopped for s in self.of("bad")] == [s.stopped for s in self.of("good")]


@pytest.mark.requirement("R9-11")
class TestAnyOrder(HypothesisTestCase):
    def test_totals_are_those_of_the_undisturbed_run(self) -> None:
        run_state_machine_as_test(Network, settings=settings(max_examples=25, stateful_step_count=30, deadline=None))
