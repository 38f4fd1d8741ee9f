"""Default charging hours on first use and after, own schedules, and the holiday pause."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from chargeamps.accounts.models import Membership
from chargeamps.accounts.services import add_member
from chargeamps.chargers.models import ChargePoint
from chargeamps.chargers.services.registration import register_charge_point
from chargeamps.common import clock
from chargeamps.schedules import planner
from chargeamps.schedules.models import HoursChoice, Schedule
from chargeamps.schedules.services import ready_by
from chargeamps.securitylog.models import Entry
from tests.cast import Phone
from tests.gateway.box import Box

# A Wednesday, 17:30 in London: a peak hour.
PEAK = datetime(2026, 7, 1, 16, 30, tzinfo=UTC)
EVENING = [{"days": ["wednesday"], "start": "17:00", "end": "20:00"}]


@pytest.fixture(autouse=True)
def travel(cast):
    with time_machine.travel(PEAK, tick=False) as travel:
        ChargePoint.objects.update(claimed=PEAK - timedelta(hours=1))
        yield travel


def hours(cast) -> str:
    return f"sites/{cast.home.pk}/default-hours"


def allowed_now(cast, number: int = 1) -> bool:
    connector = cast.aura.connectors.get(number=number)
    items = Phone(cast.alice).send("GET", f"connectors/{connector.pk}/plan").json()["items"]
    return items[0]["limit_a"] > 0 or items[0]["reason"]["code"] == "random-delay"


class TestFirstUse:
    @pytest.mark.requirement("R10-1", "R10-6")
    def test_until_the_owner_chooses_the_preset_holds(self, cast):
        told = Phone(cast.alice).send("GET", hours(cast)).json()
        assert (told["choice"], told["due"], told["in_force"], told["may_change"]) == (None, True, "preset", True)
        assert told["windows"] == told["preset"]
        assert not allowed_now(cast)

    @pytest.mark.requirement("R10-3")
    def test_accepting_is_kept_with_who_when_and_what_was_shown(self, cast):
        phone = Phone(cast.alice)
        told = phone.send("PUT", hours(cast), {"choice": "accepted"}).json()
        assert (told["choice"], told["due"], told["in_force"]) == ("accepted", False, "preset")
        assert (told["chosen_by"], told["chosen_at"]) == ("alice@example.com", clock.isoformat(PEAK))
        kept = HoursChoice.objects.get()
        assert (kept.created_by, kept.created, kept.shown) == (cast.alice, PEAK, told["preset"])
        assert Entry.objects.filter(kind="default-hours-chosen", actor=str(cast.alice.pk)).exists()

    @pytest.mark.requirement("R10-4", "R10-8")
    def test_removing_leaves_none_and_they_may_be_set_again(self, cast):
        phone = Phone(cast.alice)
        told = phone.send("PUT", hours(cast), {"choice": "removed"}).json()
        assert (told["in_force"], told["windows"]) == ("none", [])
        assert told["warnings"][0]["code"] == "in-peak"
        assert allowed_now(cast)
        phone.send("PUT", hours(cast), {"choice": "accepted"})
        assert not allowed_now(cast)

    @pytest.mark.requirement("R10-5", "R10-7")
    def test_hours_in_the_peak_are_the_owners_to_choose_with_a_warning(self, cast):
        phone = Phone(cast.alice)
        answer = phone.send("PUT", hours(cast), {"choice": "changed", "windows": EVENING})
        told = answer.json()
        assert (answer.status_code, told["in_force"], told["windows"]) == (200, "own", EVENING)
        assert told["warnings"] == [
            {
                "code": "in-peak",
                "minutes": 180,
                "text": "3 h a week lie in peak hours (weekdays 8 to 11 and 16 to 22), when electricity is scarce and "
                "often dear.",
            }
        ]
        assert allowed_now(cast)
        assert [row.choice for row in HoursChoice.objects.all()] == ["changed"]

    @pytest.mark.requirement("R10-15")
    def test_who_adds_a_charger_is_asked_again_and_the_preset_holds_for_it(self, cast, travel):
        phone = Phone(cast.alice)
        phone.send("PUT", hours(cast), {"choice": "changed", "windows": EVENING})
        travel.shift(60)
        second = register_charge_point(identity="AURA-SECOND", site=cast.home).charge_point
        assert phone.send("GET", hours(cast)).json()["due"] is True
        items = phone.send("GET", f"connectors/{second.connectors.first().pk}/plan").json()["items"]
        assert items[0]["limit_a"] == 0
        assert allowed_now(cast)

    @pytest.mark.requirement("R10-14")
    def test_at_a_workplace_only_the_administrator_decides(self, cast):
        path = f"sites/{cast.workplace.pk}/default-hours"
        for person, due, status in ((cast.wendy, True, 200), (cast.dan, False, 403), (cast.ivy, False, 403)):
            phone = Phone(person)
            told = phone.send("GET", path).json()
            assert (told["due"], told["may_change"]) == (due, due)
            assert phone.send("PUT", path, {"choice": "removed"}).status_code == status
        assert Phone(cast.charlie).send("PUT", path, {"choice": "removed"}).status_code == 404

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"choice": "changed"}, "windows"),
            ({"choice": "changed", "windows": []}, "windows"),
            ({"choice": "changed", "windows": [{"days": [], "start": "01:00", "end": "02:00"}]}, "windows[0].days"),
            (
                {"choice": "changed", "windows": [*EVENING, {"days": ["monday"], "start": "1:00", "end": "2"}]},
                "windows[1].start",
            ),
            (
                {"choice": "changed", "windows": [{"days": ["monday"], "start": "07:00", "end": "07:00"}]},
                "windows[0].end",
            ),
            ({"choice": "maybe"}, "choice"),
            ({"choice": "changed", "windows": "always"}, "windows"),
        ],
    )
    def test_what_has_no_meaning_is_refused_with_its_field(self, cast, body, field):
        answer = Phone(cast.alice).send("PUT", hours(cast), body)
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
        assert not HoursChoice.objects.exists()

    def test_what_overlaps_has_one_meaning(self, cast):
        windows = [
            {"days": ["monday"], "start": "22:00", "end": "02:00"},
            {"days": ["monday"], "start": "23:00", "end": "04:00"},
        ]
        told = Phone(cast.alice).send("PUT", hours(cast), {"choice": "changed", "windows": windows}).json()
        assert told["windows"] == [{"days": ["monday"], "start": "22:00", "end": "04:00"}]


@pytest.mark.requirement("R10-2", "R10-17")
def test_no_second_of_the_preset_with_its_delay_lies_in_a_peak():
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    rules = planner.rules_at(start)
    for begin, stop in planner.intervals(rules.preset_hours, planner.LONDON, start, end):
        stop += timedelta(seconds=rules.delay_ceiling_s)
        at = begin
        while at < stop:
            assert not planner.in_peak(at), at
            at += timedelta(minutes=1)
        assert not planner.in_peak(stop - timedelta(seconds=1))


class TestSchedules:
    def test_a_sockets_own_hours_take_the_place_of_the_default_ones(self, cast):
        phone, path = Phone(cast.alice), f"connectors/{cast.socket.pk}/schedules"
        made = phone.send("POST", path, {"windows": EVENING, "name": "Evenings"})
        assert made.status_code == 201
        told = made.json()
        assert (told["scope"], told["connector"], told["limit_a"], told["enabled"]) == (
            "socket",
            str(cast.socket.pk),
            None,
            True,
        )
        assert told["warnings"][0]["minutes"] == 180
        assert (allowed_now(cast), allowed_now(cast, 2)) == (True, False)
        off = phone.send("PATCH", f"{path}/{told['id']}", {"enabled": False}).json()
        assert (off["enabled"], off["windows"], off["warnings"]) == (False, EVENING, [])
        assert not allowed_now(cast)
        assert phone.send("DELETE", f"{path}/{told['id']}").status_code == 204
        assert phone.send("GET", path).json() == {"results": []}

    def test_hours_for_the_whole_charger_hold_for_both_sockets(self, cast):
        path = f"connectors/{cast.socket.pk}/schedules"
        Phone(cast.alice).send("POST", path, {"windows": EVENING, "scope": "charger"})
        assert (allowed_now(cast), allowed_now(cast, 2)) == (True, True)

    def test_a_lower_current_only_takes_away(self, cast):
        phone, path = Phone(cast.alice), f"connectors/{cast.socket.pk}/schedules"
        phone.send("POST", path, {"windows": EVENING, "limit_a": 10})
        assert not allowed_now(cast)
        phone.send("POST", path, {"windows": EVENING})
        items = phone.send("GET", f"connectors/{cast.socket.pk}/plan").json()["items"]
        assert (items[0]["limit_a"], items[0]["reason"]["text"]) == (10, "Limited to 10 A by your schedule")

    def test_a_tariff_on_universal_time_stays_there_in_summer(self, cast, travel):
        windows = [{"days": ["thursday"], "start": "00:00", "end": "05:00"}]
        phone, path = Phone(cast.alice), f"connectors/{cast.socket.pk}/schedules"
        phone.send("POST", path, {"windows": windows, "time_base": "utc"})
        items = phone.send("GET", f"connectors/{cast.socket.pk}/plan").json()["items"]
        assert next(item["to"] for item in items if item["limit_a"] == 0) == "2026-07-02T00:00:00.000Z"

    @pytest.mark.parametrize("limit_a", [3, 5, 33, -1])
    def test_a_current_no_charger_can_keep_is_refused(self, cast, limit_a):
        path = f"connectors/{cast.socket.pk}/schedules"
        answer = Phone(cast.alice).send("POST", path, {"windows": EVENING, "limit_a": limit_a})
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["limit_a"])

    def test_who_may_not_manage_sees_and_changes_nothing(self, cast):
        path = f"connectors/{cast.socket.pk}/schedules"
        made = Phone(cast.alice).send("POST", path, {"windows": EVENING}).json()
        for person, look, change in ((cast.bob, 200, 403), (cast.charlie, 404, 404)):
            phone = Phone(person)
            assert phone.send("GET", path).status_code == look
            assert phone.send("POST", path, {"windows": EVENING}).status_code == change
            assert phone.send("PATCH", f"{path}/{made['id']}", {"enabled": False}).status_code == change
            assert phone.send("DELETE", f"{path}/{made['id']}").status_code == change
        other = cast.work_aura.connectors.first()
        add_member(site=cast.workplace, user=cast.alice, role=Membership.Role.ADMINISTRATOR)
        answer = Phone(cast.alice).send("DELETE", f"connectors/{other.pk}/schedules/{made['id']}")
        assert answer.status_code == 404
        assert Schedule.objects.count() == 1


class TestPause:
    def test_no_charging_until_it_is_over(self, cast, travel):
        phone, path = Phone(cast.alice), f"connectors/{cast.socket.pk}/pause"
        phone.send("PUT", hours(cast), {"choice": "removed"})
        until = PEAK + timedelta(days=14)
        told = phone.send("PUT", path, {"to": clock.isoformat(until)}).json()
        assert told == {"pause": {"from": clock.isoformat(PEAK), "to": clock.isoformat(until), "scope": "charger"}}
        assert (allowed_now(cast), allowed_now(cast, 2)) == (False, False)
        items = phone.send("GET", f"connectors/{cast.socket.pk}/plan").json()["items"]
        assert items[0]["reason"]["text"] == "Paused: you asked it not to charge"
        assert phone.send("DELETE", path).status_code == 204
        assert phone.send("GET", path).json() == {"pause": None}
        assert allowed_now(cast)

    def test_it_may_be_for_one_socket_and_have_no_end(self, cast, travel):
        phone = Phone(cast.alice)
        phone.send("PUT", hours(cast), {"choice": "removed"})
        phone.send("PUT", f"connectors/{cast.socket.pk}/pause", {"to": None, "scope": "socket"})
        travel.shift(timedelta(days=100))
        assert (allowed_now(cast), allowed_now(cast, 2)) == (False, True)

    @pytest.mark.parametrize("to", ["2026-06-30T00:00:00Z", "2026-07-01T16:30:00Z", "tomorrow"])
    def test_one_that_is_over_before_it_begins_is_refused(self, cast, to):
        answer = Phone(cast.alice).send("PUT", f"connectors/{cast.socket.pk}/pause", {"to": to})
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["to"])


class TestReadyBy:
    def ask(self, cast, energy_wh: int, by: datetime, **more) -> tuple[int, dict]:
        path = f"connectors/{cast.socket.pk}/ready-by{more.pop('query', '')}"
        answer = Phone(cast.alice).send("PUT", path, {"energy_wh": energy_wh, "by": clock.isoformat(by), **more})
        return answer.status_code, answer.json()

    def test_picks_hours_that_are_allowed_and_says_when_it_will_be_done(self, cast):
        by = datetime(2026, 7, 2, 6, 0, tzinfo=UTC)
        status, told = self.ask(cast, 40_000, by)
        promise = told["ready_by"]
        assert (status, promise["achievable"], promise["short_wh"]) == (200, True, 0)
        [stretch] = promise["chosen"]
        assert stretch["from"] == "2026-07-01T21:00:00.000Z"
        assert promise["ready_at"] == stretch["to"] < clock.isoformat(by)
        items = Phone(cast.alice).send("GET", f"connectors/{cast.socket.pk}/plan").json()["items"]
        after = next(item for item in items if item["reason"]["code"] == "ready-by" and item["from"] > stretch["from"])
        assert after["from"] >= stretch["to"]

    def test_says_by_how_much_it_falls_short(self, cast):
        status, told = self.ask(cast, 100_000, datetime(2026, 7, 2, 6, 0, tzinfo=UTC))
        promise = told["ready_by"]
        assert (status, promise["achievable"]) == (200, False)
        # 22:00 to 07:00 in London less the longest delay, at 7360 W.
        assert promise["short_wh"] == pytest.approx(100_000 - 7360 * (9 - 600 / 3600), abs=5)

    def test_a_preview_stores_nothing(self, cast):
        _, told = self.ask(cast, 40_000, datetime(2026, 7, 2, 6, 0, tzinfo=UTC), query="?preview=true")
        assert told["ready_by"]["achievable"]
        phone, path = Phone(cast.alice), f"connectors/{cast.socket.pk}/ready-by"
        assert phone.send("GET", path).json() == {"ready_by": None}
        self.ask(cast, 40_000, datetime(2026, 7, 2, 6, 0, tzinfo=UTC))
        assert phone.send("DELETE", path).status_code == 204
        assert phone.send("GET", path).json() == {"ready_by": None}

    def test_what_has_flowed_is_not_asked_for_again(self, cast, travel):
        ChargePoint.objects.filter(pk=cast.aura.pk).update(free_charging=True)
        box = Box(cast.aura, cast.aura_key)
        box.status("Preparing")
        number = box.start(meter=0)
        self.ask(cast, 20_000, datetime(2026, 7, 2, 6, 0, tzinfo=UTC))
        travel.move_to(datetime(2026, 7, 1, 23, 0, tzinfo=UTC))
        box.meter(wh=15_000, number=number)
        ready_by.look_again(charge_point=cast.aura.pk, now=clock.now())
        told = Phone(cast.alice).send("GET", f"connectors/{cast.socket.pk}/ready-by").json()["ready_by"]
        assert (told["delivered_wh"], told["energy_wh"]) == (15_000, 20_000)
        [stretch] = told["chosen"]
        length = datetime.fromisoformat(stretch["to"]) - datetime.fromisoformat(stretch["from"])
        assert length.total_seconds() == pytest.approx(5000 * 3600 / 7360 + 600, abs=2)

    @pytest.mark.parametrize(
        ("energy_wh", "by", "field"),
        [
            (0, "2026-07-02T06:00:00Z", "energy_wh"),
            (10**9, "2026-07-02T06:00:00Z", "energy_wh"),
            (20_000, "2026-07-01T16:00:00Z", "by"),
            (20_000, "2026-08-02T06:00:00Z", "by"),
        ],
    )
    def test_what_cannot_be_is_refused_with_its_field(self, cast, energy_wh, by, field):
        status, told = self.ask(cast, energy_wh, datetime.fromisoformat(by))
        assert (status, list(told["errors"])) == (400, [field])
