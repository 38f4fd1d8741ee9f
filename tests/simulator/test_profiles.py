"""The charger's own reading of profiles, against expectations worked out by hand from OCPP 1.6 §3.13 and §5.16."""

from __future__ import annotations

import pytest

from chargeamps.simulator.aura import Aura
from chargeamps.simulator.car import Car
from chargeamps.simulator.clock import iso, parse_iso
from chargeamps.simulator.profile_store import Abilities, ProfileStore
from chargeamps.simulator.profiles import ProfileError, read_profile
from tests.simulator.central import MONDAY, Central, default_profile, make

HOUR, DAY = 3600.0, 86_400.0
# no charging weekdays 08-11 and 16-22 (UTC for the hand calculation), 32 A otherwise
OFF_PEAK_DAY = [(0, 32), (8 * 3600, 0), (11 * 3600, 32), (16 * 3600, 0), (22 * 3600, 32)]


def store(*profiles: tuple[dict, int], **abilities: object) -> ProfileStore:
    out = ProfileStore(Abilities(**abilities))  # type: ignore[arg-type]
    for raw, connector in profiles:
        profile = read_profile(raw, connector, tx="t1" if raw["chargingProfilePurpose"] == "TxProfile" else None)
        assert out.check(profile) == "Accepted"
        out.put(profile)
    return out


@pytest.mark.parametrize(
    ("hour", "amperes"),
    [(0, 32), (7.999, 32), (8, 0), (10.99, 0), (11, 32), (15.9, 32), (16, 0), (21.999, 0), (22, 32), (23.9, 32)],
)
@pytest.mark.parametrize("day", [0, 1, 30, 364])
def test_daily_recurrence_repeats_every_day(hour, amperes, day):
    s = store((default_profile(OFF_PEAK_DAY), 0))
    assert s.limit(1, MONDAY + day * DAY + hour * HOUR) == amperes


def test_a_schedule_has_no_effect_before_it_starts():
    s = store((default_profile([(0, 0)]), 0))
    assert s.limit(1, MONDAY - 1) is None
    assert s.limit(1, MONDAY) == 0


def test_weekly_recurrence_knows_the_weekend():
    week = [(d * 86_400 + start, limit) for d in range(5) for start, limit in OFF_PEAK_DAY] + [(5 * 86_400, 16)]
    s = store((default_profile(week, recurrency="Weekly", duration=604_800), 0))
    assert s.limit(2, MONDAY + 3 * 7 * DAY + 8 * HOUR) == 0
    assert s.limit(2, MONDAY + 3 * 7 * DAY + 5 * DAY + 8 * HOUR) == 16
    assert s.limit(2, MONDAY + 4 * 7 * DAY - 1) == 16


def test_a_recurrence_shorter_than_its_period_falls_to_the_level_below():
    s = store((default_profile([(0, 6)], duration=3600, stack=1, profile_id=2), 0), (default_profile([(0, 10)]), 0))
    assert [s.limit(1, MONDAY + DAY + x) for x in (0, 3599, 3600, DAY - 1, DAY)] == [6, 6, 10, 10, 6]


def test_a_recurrence_longer_than_its_period_is_cut():
    s = store((default_profile([(0, 20), (90_000, 0)], duration=200_000), 0))
    assert s.limit(1, MONDAY + DAY + 90_000 - DAY) == 20


def test_the_highest_valid_stack_level_prevails():
    winter = default_profile([(0, 10)], stack=0)
    summer = default_profile(
        [(0, 20)], stack=1, profile_id=2, validFrom=iso(MONDAY + 10 * DAY), validTo=iso(MONDAY + 20 * DAY)
    )
    s = store((winter, 0), (summer, 0))
    assert [s.limit(1, MONDAY + d * DAY) for d in (9.999, 10, 19.999, 20)] == [10, 20, 20, 10]


def test_without_duration_the_highest_level_never_falls_back():
    s = store(
        (default_profile([(0, 6)], stack=3, recurrency=None, duration=None, profile_id=9), 0),
        (default_profile([(0, 10)]), 0),
    )
    assert s.limit(1, MONDAY + 400 * DAY) == 6


def test_an_absolute_schedule_keeps_its_last_period_until_its_duration_ends():
    s = store((default_profile([(0, 6), (60, 12)], recurrency=None, duration=600), 0))
    assert [s.limit(1, MONDAY + x) for x in (0, 59, 60, 599, 600)] == [6, 6, 12, 12, None]


def test_same_purpose_and_level_replaces_even_with_a_start_in_the_future():
    s = store((default_profile([(0, 6)]), 0))
    s.put(read_profile(default_profile([(0, 8)], profile_id=2, validFrom=iso(MONDAY + DAY)), 0))
    assert len(s.profiles) == 1
    assert [s.limit(1, MONDAY + x) for x in (0, DAY)] == [None, 8]


def test_same_id_replaces_whatever_its_place():
    s = store((default_profile([(0, 6)]), 0))
    s.put(read_profile(default_profile([(0, 8)], stack=4), 2))
    assert [(p.stack, p.connector) for p in s.profiles] == [(4, 2)]


def test_a_default_of_the_connector_overrides_that_of_connector_0_there_only():
    s = store((default_profile([(0, 6)]), 0), (default_profile([(0, 8)], profile_id=2), 2))
    assert (s.limit(1, MONDAY), s.limit(2, MONDAY)) == (6, 8)


def test_a_higher_level_on_connector_0_still_prevails_over_the_connector():
    s = store((default_profile([(0, 6)], stack=1), 0), (default_profile([(0, 8)], profile_id=2), 2))
    assert s.limit(2, MONDAY) == 6


def test_txprofile_overrules_the_default_for_its_transaction_only():
    tx = default_profile([(0, 32)], purpose="TxProfile", profile_id=2, recurrency=None, start=None, duration=600)
    s = store((default_profile([(0, 0)]), 0), (tx, 1))
    assert s.limit(1, MONDAY + 100, tx="t1", anchor=MONDAY) == 32
    assert s.limit(1, MONDAY + 600, tx="t1", anchor=MONDAY) == 0
    assert s.limit(1, MONDAY + 100, tx="t2", anchor=MONDAY) == 0
    s.end_transaction("t1")
    assert [p.purpose for p in s.profiles] == ["TxDefaultProfile"]


def test_the_stricter_reading_leaves_no_limit_after_the_txprofile():
    tx = default_profile([(0, 32)], purpose="TxProfile", profile_id=2, recurrency=None, start=None, duration=600)
    s = store((default_profile([(0, 0)]), 0), (tx, 1), tx_hides_default=True)
    assert s.limit(1, MONDAY + 600, tx="t1", anchor=MONDAY) is None


def test_watts_become_amperes_per_phase():
    raw = default_profile([(0, 11_040)], unit="W")
    assert store((raw, 0)).limit(1, MONDAY) == pytest.approx(16)
    raw["chargingSchedule"]["chargingSchedulePeriod"][0] = {"startPeriod": 0, "limit": 3680, "numberPhases": 1}
    assert store((raw, 0)).limit(1, MONDAY) == pytest.approx(16)


def test_relative_schedules_count_from_the_start_of_the_transaction():
    s = store((default_profile([(0, 0), (600, 32)], recurrency=None, start=None, duration=None), 0))
    assert s.limit(1, MONDAY + 599, tx="t", anchor=MONDAY) == 0
    assert s.limit(1, MONDAY + 600, tx="t", anchor=MONDAY) == 32


def test_next_change_names_every_switch_of_a_day():
    s = store((default_profile(OFF_PEAK_DAY), 0))
    t, seen = MONDAY, []
    while t < MONDAY + DAY:
        t = s.next_change(t, [])
        seen.append((t - MONDAY) / HOUR)
    assert seen == [8, 11, 16, 22, 24]


def test_the_composite_schedule_is_the_minimum_of_all():
    cap = default_profile([(0, 20)], purpose="ChargePointMaxProfile", profile_id=5)
    s = store((default_profile(OFF_PEAK_DAY), 0), (cap, 0))
    rows = s.schedule(1, MONDAY + 7 * HOUR, 12 * HOUR, 32, tx=None, anchor=None)
    assert rows == [(0, 20), (HOUR, 0), (4 * HOUR, 20), (9 * HOUR, 0)]


@pytest.mark.parametrize(
    ("raw", "connector", "answer"),
    [
        (default_profile([(0, 6)], purpose="ChargePointMaxProfile"), 1, "Rejected"),
        (default_profile([(0, 6)], stack=9), 0, "Rejected"),
        (default_profile([(n, 6) for n in range(49)]), 0, "Rejected"),
        (default_profile([(0, 6)], transactionId=4), 0, "Rejected"),
        (default_profile([(0, 6)], stack=8), 0, "Accepted"),
    ],
)
def test_what_does_not_fit_is_refused(raw, connector, answer):
    assert ProfileStore().check(read_profile(raw, connector)) == answer


@pytest.mark.parametrize(
    "raw",
    [
        default_profile([(10, 6)]),
        default_profile([(0, 6), (5, 7), (5, 8)]),
        default_profile([(0, -1)]),
        default_profile([]),
        default_profile([(0, 6)], start=None),
        default_profile([(0, 6)], validFrom="2026-01-02T00:00:00Z", validTo="2026-01-01T00:00:00Z"),
        default_profile([(0, 6)], validFrom="tomorrow"),
    ],
)
def test_contradictions_are_errors(raw):
    with pytest.raises(ProfileError):
        read_profile(raw, 0)


def test_clearing_by_id_or_by_every_criterion_given():
    s = store((default_profile([(0, 6)]), 0), (default_profile([(0, 6)], profile_id=2, stack=1), 1))
    assert s.clear(7, None, None, None) == 0
    assert s.clear(None, 0, None, 1) == 0
    assert s.clear(None, 1, "TxDefaultProfile", 1) == 1
    assert s.clear(1, 2, None, 5) == 1


def test_profiles_survive_being_written_down():
    s = store((default_profile(OFF_PEAK_DAY), 0), (default_profile([(0, 8)], stack=2, profile_id=2), 1))
    again = ProfileStore()
    again.load(s.dump())
    assert again.profiles == s.profiles


def test_time_is_read_with_zone_offset_and_fraction():
    want = parse_iso("2026-06-01T12:00:00Z")
    for text in ("2026-06-01T13:00:00+01:00", "2026-06-01T12:00:00.000Z", "2026-06-01T12:00:00", "2026-06-01T12:00Z"):
        assert parse_iso(text) == want
    with pytest.raises(ValueError):
        parse_iso("01/06/2026")


def start_delay(seconds: int) -> dict:
    """0 A for the first seconds of every transaction, and nothing after them."""
    return default_profile([(0, 0)], recurrency=None, start=None, duration=seconds, stack=4, profile_id=7)


def delayed(*personas: str) -> tuple[Aura, Central]:
    aura = make(*personas)
    central = Central(aura).connect()
    for raw in (start_delay(211), default_profile([(0, 16)])):
        request = {"connectorId": 1, "csChargingProfiles": raw}
        assert central.call("SetChargingProfile", request) == {"status": "Accepted"}
    return aura, central


def composite(central: Central) -> list[tuple[int, float]]:
    answer = central.call("GetCompositeSchedule", {"connectorId": 1, "duration": 1000})
    return [(p["startPeriod"], p["limit"]) for p in answer["chargingSchedule"]["chargingSchedulePeriod"]]


@pytest.mark.requirement("R11-10")
def test_a_relative_default_holds_every_transaction_from_its_first_second():
    aura, _ = delayed()
    aura.disconnected()
    for _ in range(2):
        aura.plug(1, Car())
        aura.advance(1)
        assert aura.outlets[1].transaction is not None
        aura.advance(210.9)
        assert (aura.outlets[1].offered_a, aura.outlets[1].status) == (0, "SuspendedEVSE")
        aura.advance(3)
        assert aura.outlets[1].drawn_a == 16
        aura.unplug(1)
    aura.plug(2, Car())
    aura.advance(4)
    assert aura.outlets[2].drawn_a == 16


@pytest.mark.requirement("R11-12")
def test_after_a_power_cut_the_delay_runs_again():
    aura, _ = delayed()
    aura.disconnected()
    aura.plug(1, Car())
    aura.advance(500)
    assert aura.outlets[1].drawn_a == 16
    aura.reboot()
    aura.advance(6)
    began = aura.clock.world
    while aura.outlets[1].drawn_a == 0:
        aura.advance(1)
    assert 211 <= aura.clock.world - began <= 216


def test_setting_the_clock_does_not_end_a_delay_that_runs():
    aura, _ = delayed()
    aura.plug(1, Car())
    aura.advance(100)
    aura.clock.set(aura.clock.now() + DAY)
    aura.advance(100)
    assert aura.outlets[1].offered_a == 0
    aura.advance(15)
    assert aura.outlets[1].offered_a == 16


def test_what_the_composite_schedule_shows_of_a_relative_default():
    aura, central = delayed()
    assert composite(central) == [(0, 0), (211, 16)]
    aura.advance(0.5)
    aura.plug(1, Car())
    central.run(101)
    assert composite(central) == [(0, 0), (111, 16)]
    central.run(200)
    assert composite(central) == [(0, 16)]
    _, central = delayed("hides-idle-relative")
    assert composite(central) == [(0, 16)]


def test_a_charger_without_relative_profiles_refuses_them():
    central = Central(make("no-relative")).connect()
    request = {"connectorId": 1, "csChargingProfiles": start_delay(211)}
    assert central.call("SetChargingProfile", request) == {"status": "Rejected"}
