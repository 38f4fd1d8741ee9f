"""Summaries and lists: the right sessions, in the right month, for the right eyes."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import time_machine

from chargeamps.accounts.models import Membership
from chargeamps.accounts.services import add_member
from chargeamps.chargers.models import Command
from chargeamps.usage.models import ChargingSession
from tests.cast import Phone
from tests.gateway.box import Box
from tests.usage.history import past_session, past_sessions

NOW = datetime(2026, 7, 15, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def in_july():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def alice(cast):
    return Phone(cast.alice)


def ask(phone, path: str, expect: int = 200):
    response = phone.get(f"/api/v1/usage/{path}")
    assert response.status_code == expect, response.content
    return response.json()


@pytest.mark.requirement("R9-4")
def test_half_an_hour_before_midnight_utc_on_31_march_is_april(cast, alice):
    past_session(cast.socket, datetime(2026, 3, 31, 22, 59, tzinfo=UTC), wh=1)
    past_session(cast.socket, datetime(2026, 3, 31, 23, 30, tzinfo=UTC), wh=20)
    groups = ask(alice, "summary?from=2026-03-01&to=2026-04-30&group=month")["groups"]
    assert [(g["first_day"], g["energy_import_wh"]) for g in groups] == [("2026-03-01", 1), ("2026-04-01", 20)]
    assert groups[1]["from"] == "2026-03-31T23:00:00.000Z"
    assert groups[0]["to"] == groups[1]["from"]


@pytest.mark.requirement("R9-5")
def test_the_last_twelve_months_are_the_sum_of_their_sessions_across_both_clock_changes(cast, alice):
    starts = [NOW - timedelta(hours=7 * n + 1) for n in range(1400)]
    past_sessions(cast.socket, starts)
    zone = ZoneInfo("Europe/London")
    inside = [
        s.energy_import_wh
        for s in ChargingSession.objects.all()
        if date(2025, 7, 15) <= s.started.astimezone(zone).date() <= date(2026, 7, 15)
    ]
    for group in ("month", "week", "day"):
        answer = ask(alice, f"summary?period=last_12_months&group={group}")
        assert answer["total"]["energy_import_wh"] == sum(inside)
        assert answer["total"]["sessions"] == len(inside)
        for name in ("energy_import_wh", "sessions", "flow_seconds"):
            assert sum(g[name] for g in answer["groups"]) == answer["total"][name]
        assert all(a["to"] == b["from"] for a, b in pairwise(answer["groups"]))
        assert answer["period"]["from"] == answer["groups"][0]["from"] == "2025-07-14T23:00:00.000Z"
        assert answer["period"]["to"] == answer["groups"][-1]["to"]


@pytest.mark.requirement("R9-3")
def test_the_oldest_session_of_the_last_twelve_months_is_there(cast, alice):
    oldest = past_session(cast.socket, NOW.replace(year=2025), wh=5)
    past_sessions(cast.socket, [NOW - timedelta(days=n) for n in range(1, 120)])
    found, path = [], "sessions?period=last_12_months&limit=50"
    while path:
        page = ask(alice, path)
        found += page["results"]
        path = page["next"] and page["next"].rsplit("/", 1)[1]
    assert len(found) == 120 == len({row["id"] for row in found})
    assert found[-1]["id"] == str(oldest.pk)
    assert ask(alice, f"sessions/{oldest.pk}")["energy_import_wh"] == 5


PERIODS = {
    "this_month": ("2026-07-01", "2026-07-31"),
    "last_month": ("2026-06-01", "2026-06-30"),
    "this_year": ("2026-01-01", "2026-12-31"),
    "last_year": ("2025-01-01", "2025-12-31"),
    "last_12_months": ("2025-07-15", "2026-07-15"),
}


@pytest.mark.parametrize("period", PERIODS)
def test_periods(alice, period):
    answer = ask(alice, f"summary?period={period}")["period"]
    assert (answer["first_day"], answer["last_day"]) == PERIODS[period]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-05-02&to=2026-05-01", "to"),
        ("from=1900-01-01&to=2026-05-01", "from"),
        ("from=2001-01-01&to=2026-05-01", "to"),
        ("period=custom", "from"),
        ("from=yesterday&to=2026-05-01", "from"),
        ("from=2026-05-01", "to"),
        ("period=last_decade", "period"),
        ("period=last_year&from=2026-05-01&to=2026-05-02", "period"),
        ("group=hour", "group"),
        ("charge_point=7", "charge_point"),
        ("from=2026-05-01T00:00:00%2B99:00&to=2026-05-02", "from"),
    ],
)
def test_questions_that_make_no_sense_say_why(alice, query, field):
    assert field in ask(alice, f"summary?{query}", 400)["errors"]


def test_beyond_the_data_there_is_nothing_and_it_says_so(cast, alice):
    past_session(cast.socket, NOW)
    for query in ("from=2010-01-01&to=2010-12-31", "from=2031-01-01&to=2031-12-31"):
        answer = ask(alice, f"summary?{query}")
        assert answer["total"]["sessions"] == 0
        assert len(answer["groups"]) == 12


def test_ends_may_be_moments(cast, alice):
    past_session(cast.socket, datetime(2026, 5, 1, 12, tzinfo=UTC))
    answer = ask(alice, "summary?from=2026-04-30T23:00:00Z&to=2026-05-31T23:00:00Z")
    assert (answer["period"]["first_day"], answer["period"]["last_day"]) == ("2026-05-01", "2026-05-31")
    assert answer["total"]["sessions"] == 1


def test_filters(cast, alice):
    other = cast.aura.connectors.get(number=2)
    past_session(cast.socket, NOW, wh=1, id_tag="CARD0001")
    past_session(other, NOW, wh=2, person=cast.bob)

    def wh(query: str) -> int:
        return ask(alice, f"summary?{query}")["total"]["energy_import_wh"]

    assert wh("") == 3
    assert wh(f"connector={other.pk}") == 2
    assert wh(f"charge_point={cast.aura.pk}") == 3
    assert wh(f"person={cast.bob.pk}") == 2
    assert wh("id_tag=CARD0001") == 1
    assert wh(f"site={cast.home.pk}") == 3
    assert wh(f"charge_point={cast.work_aura.pk}") == 0
    assert ask(alice, f"summary?site={cast.workplace.pk}", 404)["code"] == "not-found"
    assert [row["energy_import_wh"] for row in ask(alice, "summary?group=session")["groups"]] in ([1, 2], [2, 1])


@pytest.mark.requirement("R9-3", "R9-4")
class TestWhoSeesWhat:
    def seen(self, user) -> set[str]:
        phone = Phone(user)
        found = {row["id"] for row in ask(phone, "sessions")["results"]}
        assert ask(phone, "summary")["total"]["sessions"] == len(found)
        return found

    def test_everybody_of_a_home_and_nobody_else(self, cast):
        session = past_session(cast.socket, NOW)
        assert self.seen(cast.alice) == self.seen(cast.bob) == {str(session.pk)}
        for stranger in (cast.charlie, cast.wendy, cast.sam):
            assert self.seen(stranger) == set()
            for path in ("", "/power"):
                answer = ask(Phone(stranger), f"sessions/{session.pk}{path}", 404)
                assert answer == ask(Phone(stranger), f"sessions/{cast.home.pk}{path}", 404)

    def test_at_work_drivers_see_their_own(self, cast):
        work = cast.work_aura.connectors.get(number=1)
        mine = past_session(work, NOW, person=cast.dan)
        past_session(work, NOW + timedelta(hours=2))
        assert self.seen(cast.dan) == {str(mine.pk)}
        assert len(self.seen(cast.wendy)) == 2
        assert self.seen(cast.ivy) == set()

    def test_a_driver_with_a_home_sees_all_of_that(self, cast):
        add_member(site=cast.home, user=cast.dan, role=Membership.Role.USER)
        home = past_session(cast.socket, NOW)
        past_session(cast.work_aura.connectors.get(number=1), NOW)
        assert self.seen(cast.dan) == {str(home.pk)}

    def test_who_tapped_is_who_charged(self, cast, in_july):
        Command.objects.create(
            charge_point=cast.aura,
            connector=cast.socket,
            kind=Command.Kind.CHARGE_NOW,
            requested_by=cast.bob,
            deadline=NOW,
        )
        in_july.shift(30)
        Box(cast.aura, cast.aura_key).start(id_tag=cast.aura.app_id_tag)
        session = ask(Phone(cast.alice), "sessions")["results"][0]
        assert (session["person"]["name"], session["id_tag_label"]) == ("Bob", "App")

    def test_the_next_owner_of_a_charger_sees_nothing_from_before(self, cast):
        past_session(cast.socket, NOW)
        cast.aura.site = cast.charlies_home
        cast.aura.save()
        assert self.seen(cast.charlie) == set()
        assert len(self.seen(cast.alice)) == 1


def test_a_session_in_full(cast, alice, in_july):
    box = Box(cast.aura, cast.aura_key)
    box.status("Preparing")
    number = box.start(meter=1000, id_tag="0123456789")
    in_july.shift(timedelta(minutes=10))
    for second in (*range(0, 100, 10), *range(130, 600, 10)):
        box.meter(wh=1000 + second * 2, power_w=7200, number=number, at=NOW + timedelta(seconds=second))
    running = ask(alice, "sessions")["results"][0]
    assert (running["stopped"], running["quality"]["exact"], running["flow_seconds"]) == (None, False, 600)
    box.stop(number, meter=2200)
    session = ask(alice, f"sessions/{running['id']}")
    assert session["energy_import_wh"] == 1200
    assert session["quality"] == {"exact": True, "notes": ["3 readings missing, total exact from the meter."]}
    assert session["id_tag_label"] == "Card …6789"
    assert session["plugged_seconds"] == 600
    assert session["told"]["started"] == "2026-07-15T12:00:00.000Z"
    power = ask(alice, f"sessions/{running['id']}/power?resolution=1s")
    assert power["interval_seconds"] == 10
    assert power["points"][:2] == [[0.0, 7200], [10.0, 7200]]
    assert power["gaps"] == [{"from": "2026-07-15T12:01:30.000Z", "to": "2026-07-15T12:02:10.000Z", "missing": 3}]
    minutes = ask(alice, f"sessions/{running['id']}/power?resolution=1min")
    assert [point[1] for point in minutes["points"]] == [7200] * 10
    ask(alice, f"sessions/{running['id']}/power?resolution=1h", 400)
    ask(alice, f"sessions/{running['id']}/power?from=2027-01-01T00:00:00Z", 400)
    ask(alice, f"sessions/{running['id']}/power?from=now", 400)
