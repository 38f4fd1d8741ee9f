"""The plan's reasons in plain English, for owners."""

from chargeamps.schedules import planner

TEXTS = {
    "default-hours": "Inside your charging hours",
    "outside-hours": "Waiting for your off-peak hours",
    "schedule": "Inside your charging hours",
    "charge-now": "You asked it to charge now",
    "always": "No charging hours are set",
    "holiday-pause": "Paused: you asked it not to charge",
    "demand-response": "Your electricity supplier has asked for less",
    "random-delay": "Random delay",
}


def plan_text(slot: planner.Slot) -> str:
    """Why a limit holds, as a short phrase."""
    match slot.reason.code:
        case "schedule-limit" if slot.limit_a == 0:
            return "Your schedule says not to charge"
        case "schedule-limit":
            return f"Limited to {_amperes(slot)} by your schedule"
        case "ready-by":
            return "Waiting: there is time enough to be ready"
        case "installation-limit" | "shared-capacity" if slot.limit_a == 0:
            return "Waiting: the other socket needs all that the installation can give"
        case "installation-limit":
            return f"Limited to {_amperes(slot)} by the installation"
        case "shared-capacity":
            return f"Limited to {_amperes(slot)}: shared with socket {slot.reason.get('with')}"
        case "random-delay":
            return _delay_text(slot)
        case code:
            return TEXTS.get(code, code)


def _delay_text(slot: planner.Slot) -> str:
    target = slot.reason.get("target_a")
    if slot.limit_a == 0:
        return "Random delay before charging starts"
    return "Random delay before charging pauses" if target == 0 else "Random delay before the rate changes"


def _amperes(slot: planner.Slot) -> str:
    return f"{slot.limit_a:g} A"
