"""Reading GetCompositeSchedule answers: forgiving in form, strict in effect."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chargeamps.gateway.profiles import (
    Capabilities,
    ConnectorPlan,
    DesiredProfile,
    Layer,
    Transaction,
    composite_agrees,
    desired_profiles,
    expected_schedule,
)
from chargeamps.schedules.planner import Connector, draw_weekly, rules_at

NOW = datetime(2027, 6, 15, 16, tzinfo=UTC)
AURA = Connector(1, 32.0, hours=rules_at(NOW).preset_hours)
ABLE = Capabilities()
DAY = 86_400
WANTED = desired_profiles([ConnectorPlan(AURA, draw_weekly(AURA, NOW, lambda: 211))], ABLE, NOW).profiles


def answer(*, start: datetime = NOW, unit: str = "A", shift: int = 0, factor: float = 1.0, **extra) -> dict:
    """What a charger that obeys would say."""
    periods = [
        {
            "startPeriod": max(0, int((step.start - NOW).total_seconds()) + (shift if step.start > NOW else 0)),
            "limit": (step.limit_a or 0.0) * factor,
        }
        for step in expected_schedule(WANTED, 1, NOW, DAY, ABLE)
    ]
    return {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": start.isoformat(),
        "chargingSchedule": {"duration": DAY, "chargingRateUnit": unit, "chargingSchedulePeriod": periods} | extra,
    }


def verdict(said: dict, **options):
    return composite_agrees(said, WANTED, 1, NOW, options.pop("capabilities", ABLE), max_a=32.0, **options)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(answer(), id="exact"),
        pytest.param(answer(unit="W", factor=230), id="watts"),
        pytest.param(answer(unit="w ", factor=230), id="watts, oddly spelt"),
        pytest.param(answer(factor=1.01), id="rounded"),
        pytest.param(answer(shift=45), id="clock behind"),
        pytest.param(answer(shift=-45), id="clock ahead"),
        pytest.param(answer(start=NOW + timedelta(seconds=40)), id="begins later"),
        pytest.param({k: v for k, v in answer().items() if k != "scheduleStart"}, id="no start"),
        pytest.param(answer(factor=2), id="more than the connector can do"),
    ],
)
def test_agreement_is_forgiving_in_form(said):
    assert verdict(said).agrees


def test_periods_may_be_split_and_the_duration_missing():
    said = answer()
    schedule = said["chargingSchedule"]
    schedule["chargingSchedulePeriod"].append({"startPeriod": 60, "limit": 0.0, "numberPhases": 1})
    del schedule["duration"]
    assert verdict(said).agrees


def test_three_phase_watts():
    three = replace(ABLE, phases=3)
    assert verdict(answer(unit="W", factor=690), capabilities=three).agrees


def test_a_limit_that_differs_is_found_and_dated():
    said = answer()
    said["chargingSchedule"]["chargingSchedulePeriod"] = [{"startPeriod": 0, "limit": 32.0}]
    found = verdict(said)
    assert (found.code, found.at, found.expected_a, found.reported_a) == ("differs", NOW, 0, 32)
    assert verdict(answer(shift=3600)).at == NOW + timedelta(hours=5, seconds=211)
    assert verdict(answer(factor=0.5)).reported_a == 16


def test_differences_in_small_pieces_add_up():
    said = answer()
    said["chargingSchedule"]["chargingSchedulePeriod"] = [
        {"startPeriod": 30 * n, "limit": 16.0 + n % 2} for n in range(100)
    ]
    assert verdict(said).code == "differs"


def test_no_profile_on_either_side_agrees():
    said = answer()
    said["chargingSchedule"]["chargingSchedulePeriod"] = [{"startPeriod": 0, "limit": 63}]
    assert composite_agrees(said, [], 1, NOW, ABLE, max_a=32.0).agrees


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"status": "Rejected"}, "rejected"),
        ({}, "rejected"),
        ({"status": "Accepted"}, "unreadable"),
        (answer(chargingSchedulePeriod=[]), "unreadable"),
        (answer(chargingSchedulePeriod=None), "unreadable"),
        (answer(chargingSchedulePeriod=[{"startPeriod": 0}]), "unreadable"),
        (answer(chargingSchedulePeriod=[{"startPeriod": 0, "limit": "much"}]), "unreadable"),
        (answer(chargingSchedulePeriod=["x"]), "unreadable"),
        (answer(unit="kVA"), "unreadable"),
        (answer(duration="long"), "unreadable"),
        (answer(duration=0), "unreadable"),
    ],
)
def test_answers_that_say_nothing(said, code):
    assert verdict(said).code == code


def test_a_relative_profile_counts_from_the_transaction():
    began = datetime(2027, 6, 15, 16, tzinfo=UTC)
    payload = {
        "chargingProfileId": 9,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": {
            "chargingRateUnit": "W",
            "duration": 600,
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0}, {"startPeriod": 60, "limit": 7360}],
        },
    }
    relative = DesiredProfile(1, payload, "", Layer.SESSION)
    running = Transaction(1, began)
    steps = expected_schedule([relative], 1, began, 700, ABLE, transaction=running)
    assert [step.limit_a for step in steps] == [0, 32, None]
    assert expected_schedule([relative], 1, began, 700, ABLE)[0].limit_a is None


DELAYED = desired_profiles(
    [ConnectorPlan(AURA, draw_weekly(AURA, NOW, lambda: 211), start_delay=600)], ABLE, NOW
).profiles
NIGHT = NOW + timedelta(hours=7)


@pytest.mark.requirement("R11-10")
@pytest.mark.parametrize(
    ("transaction", "shown", "code"),
    [
        pytest.param(None, None, "agrees", id="idle, not shown"),
        pytest.param(None, NIGHT, "agrees", id="idle, shown from now on"),
        pytest.param(None, NIGHT + timedelta(hours=2), "differs", id="idle, shown at some other time"),
        pytest.param(Transaction(1, NIGHT), NIGHT, "agrees", id="just plugged in"),
        pytest.param(Transaction(1, NIGHT), None, "differs", id="just plugged in, not kept"),
        pytest.param(
            Transaction(1, NIGHT - timedelta(seconds=300)), NIGHT - timedelta(seconds=300), "agrees", id="run"
        ),
        pytest.param(Transaction(1, NIGHT - timedelta(hours=1)), None, "agrees", id="over"),
        pytest.param(Transaction(1, NIGHT - timedelta(hours=1)), NIGHT, "differs", id="over, yet shown"),
    ],
)
def test_a_start_delay_may_be_shown_or_not_while_nothing_runs(transaction, shown, code):
    began = None if shown is None else Transaction(0, shown)
    steps = expected_schedule(DELAYED, 1, NIGHT, DAY, ABLE, transaction=began)
    said = {
        "status": "Accepted",
        "scheduleStart": NIGHT.isoformat(),
        "chargingSchedule": {
            "duration": DAY,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [
                {"startPeriod": int((step.start - NIGHT).total_seconds()), "limit": step.limit_a} for step in steps
            ],
        },
    }
    answer = composite_agrees(said, DELAYED, 1, NIGHT, ABLE, max_a=32.0, transaction=transaction)
    assert answer.code == code
