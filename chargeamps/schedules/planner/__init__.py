"""The planner: hours, overrides, delays and capacity in; a timeline for each connector out. Pure functions only."""

from .delay import Cause, Change, DelayDecision, Outcome, RelevantTime, change_between, check_maximum, decide, draw
from .hours import HoursError, Interval, Weekday, Window, intervals, normalise, parse_windows
from .plan import DrawFor, Plan, Switch, build_plan
from .ready_by import ReadyBy, pick_ready_by
from .request import (
    CapacityLimit,
    ChargeNow,
    Connector,
    Draw,
    DsrEvent,
    Pause,
    PlanRequest,
    ReadyBySlots,
    SafetyCut,
    Schedule,
)
from .rules import LONDON, RuleSet, in_peak, minutes_in_peak, rules_at
from .timeline import Reason, Slot, Timeline, idle, next_change, next_start, state_at
from .weekly import Variant, WeeklyDelays, draw_weekly, weekly_draws, weekly_patterns

__all__ = [
    "LONDON",
    "CapacityLimit",
    "Cause",
    "Change",
    "ChargeNow",
    "Connector",
    "DelayDecision",
    "Draw",
    "DrawFor",
    "DsrEvent",
    "HoursError",
    "Interval",
    "Outcome",
    "Pause",
    "Plan",
    "PlanRequest",
    "ReadyBy",
    "ReadyBySlots",
    "Reason",
    "RelevantTime",
    "RuleSet",
    "SafetyCut",
    "Schedule",
    "Slot",
    "Switch",
    "Timeline",
    "Variant",
    "Weekday",
    "WeeklyDelays",
    "Window",
    "build_plan",
    "change_between",
    "check_maximum",
    "decide",
    "draw",
    "draw_weekly",
    "idle",
    "in_peak",
    "intervals",
    "minutes_in_peak",
    "next_change",
    "next_start",
    "normalise",
    "parse_windows",
    "pick_ready_by",
    "rules_at",
    "state_at",
    "weekly_draws",
    "weekly_patterns",
]
