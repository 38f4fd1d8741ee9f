"""Charging profiles of OCPP 1.6: from the plan to what a charge point stores, and back to what it will do. Pure."""

from .build import (
    Changes,
    ConnectorPlan,
    Desired,
    changes,
    charge_now_profile,
    days_profile,
    desired_profiles,
    exact_days_needed,
    installation_profile,
    session_profile,
    start_delay_profile,
)
from .capabilities import Capabilities, Refusal, suspect
from .composite import Agreement, composite_agrees
from .evaluate import Step, Transaction, expected_schedule, limit_at
from .payload import DesiredProfile, Layer
from .stored import Shortfall

__all__ = [
    "Agreement",
    "Capabilities",
    "Changes",
    "ConnectorPlan",
    "Desired",
    "DesiredProfile",
    "Layer",
    "Refusal",
    "Shortfall",
    "Step",
    "Transaction",
    "changes",
    "charge_now_profile",
    "composite_agrees",
    "days_profile",
    "desired_profiles",
    "exact_days_needed",
    "expected_schedule",
    "installation_profile",
    "limit_at",
    "session_profile",
    "start_delay_profile",
    "suspect",
]
