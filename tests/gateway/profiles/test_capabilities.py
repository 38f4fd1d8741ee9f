"""What a charge point says it can do, read tolerantly, and what it was seen to refuse."""

from __future__ import annotations

import pytest

from chargeamps.gateway.profiles import Capabilities, Refusal

CONFIGURATIONS = [
    ({}, {"max_stack_level": 3, "max_periods": 24, "max_profiles": 10, "watts_only": False}),
    (
        {
            "ChargeProfileMaxStackLevel": "32",
            "ChargingScheduleMaxPeriods": "100",
            "MaxChargingProfilesInstalled": "6400",
            "ChargingScheduleAllowedChargingRateUnit": "Current,Power",
        },
        {"max_stack_level": 32, "max_periods": 100, "max_profiles": 6400, "watts_only": False},
    ),
    ({"chargingscheduleallowedchargingrateunit": " W "}, {"watts_only": True}),
    ({"ChargingScheduleAllowedChargingRateUnit": "Power"}, {"watts_only": True}),
    ({"ChargingScheduleAllowedChargingRateUnit": "A, W"}, {"watts_only": False}),
    ({"ChargingScheduleAllowedChargingRateUnit": "?"}, {"watts_only": False}),
    (
        {"ChargeProfileMaxStackLevel": "many", "ChargingScheduleMaxPeriods": None},
        {"max_stack_level": 3, "max_periods": 24},
    ),
    (
        {"ChargeProfileMaxStackLevel": " 0 ", "ChargingScheduleMaxPeriods": "0"},
        {"max_stack_level": 0, "max_periods": 2},
    ),
    (
        {"ChargeProfileMaxStackLevel": "-1", "MaxChargingProfilesInstalled": "5.0"},
        {"max_stack_level": 3, "max_profiles": 5},
    ),
]


@pytest.mark.parametrize(("configuration", "expected"), CONFIGURATIONS)
def test_reading_a_configuration(configuration, expected):
    read = Capabilities.from_configuration(configuration)
    assert {name: getattr(read, name) for name in expected} == expected


def test_refusals_are_data():
    read = Capabilities.from_configuration({}, [*Refusal, "something_new"], voltage=240, phases=3)
    assert [read.recurring, read.charge_point_max, read.tx_default] == [False] * 3
    assert read.watts_only
    assert read.max_stack_level == 0
    assert read.in_unit(10) == 7200
    assert read.in_amperes(7200, "W") == 10
    assert read.in_amperes(7200, "W", 1) == 30
