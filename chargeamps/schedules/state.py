"""What a socket does, why, since when and until when, as a person reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zlib import crc32

from chargeamps.chargers.models import ChargePoint, Command, Connector
from chargeamps.chargers.selectors import command_json
from chargeamps.common.clock import isoformat
from chargeamps.schedules import planner
from chargeamps.schedules.models import Override, ReadyByRequest
from chargeamps.schedules.plan import PLUGGED
from chargeamps.schedules.words import plan_text
from chargeamps.usage.models import ChargingSession

# What OCPP's error codes mean to a person (OCPP 1.6 §7.6).
FAULTS = {
    "ConnectorLockFailure": "The socket could not lock the cable.",
    "EVCommunicationError": "The charger and the car do not understand each other.",
    "GroundFailure": "The charger has found an earth fault.",
    "HighTemperature": "The charger is too hot.",
    "OverCurrentFailure": "Too much current was drawn.",
    "OverVoltage": "The supply voltage is too high.",
    "UnderVoltage": "The supply voltage is too low.",
    "PowerMeterFailure": "The charger cannot read its meter.",
    "PowerSwitchFailure": "The charger cannot switch its power.",
    "WeakSignal": "The charger's wireless signal is weak.",
}


@dataclass(frozen=True, slots=True)
class View:
    """All that the state of one connector is made from."""

    charge_point: ChargePoint
    connector: Connector
    timeline: planner.Timeline
    override: Override | None
    ready_by: ReadyByRequest | None
    session: ChargingSession | None
    command: Command | None
    now: datetime

    @property
    def slot(self) -> planner.Slot:
        """What the plan says now."""
        return planner.state_at(self.timeline, self.now)


@dataclass(frozen=True, slots=True)
class State:
    name: str
    code: str
    text: str
    until: datetime | None = None
    since: datetime | None = None


def state_of(view: View) -> State:
    """The state with its reason. What the charger reports decides; the plan only says why and until when."""
    if not view.charge_point.online:
        return State(
            "offline",
            "charger-offline",
            "No connection to the charger. It keeps to the charging hours stored in it."
            if view.charge_point.disconnected_since
            else "This charger has not connected yet.",
            since=view.charge_point.disconnected_since,
        )
    status = view.connector.status
    if status == "":
        return State("unavailable", "no-status-yet", "Waiting for the charger's first report.")
    if status == "Faulted":
        reason = FAULTS.get(view.connector.error_code, "The charger reports a fault.")
        return State("faulted", "fault", f"{reason} It will not charge until this is put right.")
    if status == "Unavailable":
        return State("unavailable", "out-of-service", "This socket is switched off.")
    if status == "Reserved":
        return State("unavailable", "reserved", "This socket is reserved.")
    if status == "Available":
        return State("available", "no-car", "No car is plugged in.")
    if status == "Finishing":
        return State("finished", "unplug-needed", "Charging has ended. Unplug the car before charging again.")
    if status == "Charging":
        return _charging(view)
    may_start = view.charge_point.free_charging or view.session is not None
    if view.slot.limit_a == 0:
        if view.slot.reason.code == "random-delay" and may_start:
            return _delayed(view)
        if view.slot.reason.code != "random-delay":
            return _waiting(view)
    if status == "SuspendedEV":
        return State(
            "paused_by_vehicle",
            "car-not-taking-power",
            "The charger is ready, but the car is not taking power. It may be full, or waiting for its own timer.",
        )
    if status == "SuspendedEVSE":
        if view.override is not None:
            return State("waiting_for_schedule", "starting", "Starting. The charger is about to deliver power.")
        return State("waiting_for_schedule", "held-back", "Your charger is holding back power for the moment.")
    if may_start:
        return State("available", "starting", "Car plugged in. Charging is about to start.")
    return State("available", "waiting-for-card", "Car plugged in. Tap Charge now, or hold a card to the charger.")


def _charging(view: View) -> State:
    slot, at = view.slot, view.now
    if slot.reason.code == "random-delay" and slot.limit_a == 0 and slot.end < view.timeline[-1].end:
        # It has begun a moment sooner than its delay was thought to end.
        at = slot.end
        slot = planner.state_at(view.timeline, at)
    end = planner.next_change(view.timeline, at)
    until = end.start if end else None
    if view.override is not None:
        text = "You asked it to charge now, until this session ends."
        if view.override.until is not None:
            text = "You asked it to charge now, for a time."
        elif view.override.energy_wh is not None:
            text = f"You asked it to charge {view.override.energy_wh / 1000:g} kWh now."
        return State("charging", "charge-now", text, until=view.override.until)
    if slot.reason.code == "random-delay":
        return State("charging", "random-delay", "Charging. A change is due after a random delay.", until=slot.end)
    if slot.limit_a == 0:
        return State("charging", "outside-hours", "Charging outside your charging hours.")
    if slot.reason.code in LIMITED:
        return State("charging", slot.reason.code, f"{plan_text(slot)}.", until=until)
    if slot.reason.code == "always":
        return State("charging", "always", "You have removed the charging hours, so it charges at any time.")
    return State("charging", "in-charging-hours", "Inside your charging hours.", until=until)


def _delayed(view: View) -> State:
    nominal = view.slot.reason.get("nominal")
    return State(
        "random_delay",
        "random-delay",
        "Random delay. Charging starts by itself.",
        until=view.slot.end,
        since=nominal if isinstance(nominal, datetime) else None,
    )


WAITING = {
    "outside-hours": ("default-hours", "Waiting for your off-peak hours."),
    "schedule-limit": ("schedule", "Your schedule says not to charge now."),
    "ready-by": ("ready-by", "Waiting: there is time enough to be ready when you asked."),
    "holiday-pause": ("holiday-pause", "Paused: you asked it not to charge."),
    "demand-response": ("demand-response", "Paused for a while at your electricity supplier's request."),
    "shared-capacity": ("shared-capacity", "Waiting: the other socket needs all that the installation can give."),
    "installation-limit": ("installation-limit", "The installation cannot give enough to charge."),
}
# Reasons for charging with less than the socket could give.
LIMITED = frozenset({"shared-capacity", "installation-limit", "schedule-limit", "demand-response"})


def _waiting(view: View) -> State:
    """Why nothing flows, and until when: the end of what holds it back, after which a random delay may follow."""
    code, text = WAITING.get(view.slot.reason.code, ("held-back", "Your charger is holding back power."))
    free = next(
        (
            slot
            for slot in view.timeline
            if slot.end > view.now and (slot.limit_a > 0 or slot.reason.code == "random-delay")
        ),
        None,
    )
    return State("waiting_for_schedule", code, text, until=free.start if free else None)


def actions_of(view: View, state: State, *, may_charge: bool) -> list[str]:
    """The requests that make sense now, as the last part of their path."""
    if not may_charge or state.name in ("offline", "faulted", "unavailable", "locked"):
        return []
    actions = []
    if view.connector.status in PLUGGED - {"Finishing"} and view.override is None:
        actions.append("charge-now")
    if state.name == "random_delay" and view.session is not None:
        actions.append("skip-delay")
    if view.override is not None:
        actions.append("wait-for-schedule")
    if view.session is not None and (view.override is not None or state.name in ("charging", "paused_by_vehicle")):
        actions.append("stop")
    if view.slot.reason.code == "demand-response":
        actions.append("refuse-response")
    return actions


def connector_json(view: View, *, may_charge: bool) -> dict[str, Any]:
    """The connector as the API and the live socket show it."""
    state = state_of(view)
    connector, online = view.connector, view.charge_point.online
    since = state.since or (connector.status_since if online else None)
    if view.override is not None and state.name == "charging":
        since = max(filter(None, (since, view.override.created)), default=None)
    plug = (
        "unknown"
        if connector.status in ("", "Faulted", "Unavailable", "Reserved")
        else ("in" if connector.status in PLUGGED else "out")
    )
    return {
        "id": str(connector.pk),
        "charge_point": str(view.charge_point.pk),
        "number": connector.number,
        "state": state.name,
        "reason": {"code": state.code, "text": state.text},
        "since": isoformat(since),
        "until": isoformat(state.until),
        "delay_max_s": view.charge_point.delay_maximum_s,
        "limit_a": view.slot.limit_a if view.slot.reason.code in LIMITED else None,
        "power_w": connector.power_w,
        "current_a": connector.current_a,
        "voltage_v": connector.voltage_v,
        "measured_at": isoformat(connector.measured),
        "session": session_brief(view.session, view.now) if view.session else None,
        "charge_now": _charge_now_json(view),
        "ready_by": ready_by_brief(view.ready_by) if view.ready_by else None,
        "plan_version": _version(view.timeline),
        "plug": plug,
        "last_contact": isoformat(view.charge_point.last_contact),
        "actions": actions_of(view, state, may_charge=may_charge),
        "command": command_json(view.command) if view.command else None,
    }


def _charge_now_json(view: View) -> dict[str, Any] | None:
    if view.override is None:
        return None
    session_wh = view.session.energy_import_wh if view.session else 0
    return {
        "since": isoformat(view.override.created),
        "until": isoformat(view.override.until),
        "energy_wh": view.override.energy_wh,
        "delivered_wh": max(0, session_wh - view.override.session_wh),
    }


def ready_by_brief(wish: ReadyByRequest) -> dict[str, Any]:
    """A ready-by request and its promise."""
    return {
        "energy_wh": wish.energy_wh,
        "by": isoformat(wish.by),
        "achievable": wish.short_wh == 0,
        "short_wh": wish.short_wh,
        "ready_at": isoformat(wish.ready_at),
    }


def _version(timeline: planner.Timeline) -> str:
    """Changes when the plan does; not with the time of the question, which cuts the first and the last slot."""
    known = repr([(slot.end, slot.limit_a, slot.reason.code) for slot in timeline[:-1]])
    return f"{crc32(known.encode()):08x}"


def session_brief(session: ChargingSession, now: datetime) -> dict[str, Any]:
    """The session that is going on."""
    running = max(0, round((now - session.flowing_since).total_seconds())) if session.flowing_since else 0
    return {
        "id": str(session.pk),
        "started": isoformat(session.started),
        "energy_wh": session.energy_import_wh,
        "flow_seconds": session.flow_seconds + running,
    }


def latest_commands(connectors: list[UUID], since: datetime) -> Mapping[UUID, Command]:
    """The newest command of each connector, if it was given after ``since``."""
    commands = Command.objects.filter(connector__in=connectors, created__gte=since).order_by("created")
    return {command.connector_id: command for command in commands if command.connector_id}
