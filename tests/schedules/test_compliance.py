"""The journal of random delays recomputed, and the longest delay set from afar."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from chargeamps.chargers.models import ChargePoint, Command, Connector
from chargeamps.common import clock
from chargeamps.schedules import compliance
from chargeamps.schedules.models import DelayDraw, StoredDelays
from chargeamps.schedules.services import delays
from chargeamps.securitylog.models import Entry
from chargeamps.usage.models import ChargingSession
from tests.cast import Phone
from tests.gateway.box import Box

# A Wednesday, 23:00 in London: inside the preset hours.
NIGHT = datetime(2026, 7, 1, 22, 0, tzinfo=UTC)


@pytest.fixture
def travel():
    with time_machine.travel(NIGHT, tick=False) as travel:
        yield travel


@pytest.fixture
def box(cast, travel) -> Box:
    ChargePoint.objects.filter(pk=cast.aura.pk).update(free_charging=True, claimed=NIGHT - timedelta(days=1))
    box = Box(cast.aura, cast.aura_key)
    box.status("Available")
    delays.freshen(charge_point=cast.aura.pk, now=clock.now(), busy=())
    StoredDelays.objects.filter(connector=cast.socket).update(start_s=300, start_accepted=True)
    return box


@pytest.fixture
def night(cast, box, travel) -> DelayDraw:
    """A car that came at 23:00, waited its 300 s, charged, and was full; its row of the journal."""
    box.status("Preparing")
    number = box.start(meter=0)
    box.status("SuspendedEVSE")
    travel.shift(301)
    box.status("Charging")
    travel.shift(timedelta(hours=3))
    box.stop(number, meter=20_000)
    box.status("Finishing")
    box.status("Available")
    travel.shift(timedelta(hours=12))
    return DelayDraw.objects.get(connector=cast.socket, cause="plug-in")


def check(**options) -> list[str]:
    return [finding.code for finding in compliance.check(clock.now(), **options).findings]


def alter(draw: DelayDraw, **fields) -> None:
    DelayDraw.objects.filter(pk=draw.pk).update(**fields)


@pytest.mark.requirement("R11-17", "R11-13", "R11-2")
class TestTheJournal:
    def test_of_a_night_shows_that_the_law_was_kept(self, cast, night):
        report = compliance.check(clock.now())
        assert report.findings == ()
        assert report.sessions == 1
        # The car's delay, and the switches of both sockets that have come since.
        assert report.delays == DelayDraw.objects.filter(nominal__lte=clock.now()).count() > 1

    def test_current_before_the_delay_is_over_is_found(self, night):
        alter(night, actual=NIGHT + timedelta(seconds=294))
        assert check() == ["too-early"]
        alter(night, actual=NIGHT + timedelta(seconds=296))
        assert check() == []

    def test_after_a_skip_it_may_flow_at_once_and_not_sooner(self, cast, night):
        skipped = NIGHT + timedelta(seconds=100)
        alter(night, skipped=skipped, skipped_by=cast.bob, actual=skipped + timedelta(seconds=1))
        assert check() == []
        alter(night, actual=skipped - timedelta(seconds=10))
        assert check() == ["too-early"]

    def test_a_skip_by_nobody_is_found(self, cast, night):
        skipped = NIGHT + timedelta(seconds=100)
        alter(night, skipped=skipped, skipped_by=None)
        assert check() == ["skipped-by-nobody"]

    def test_but_not_where_the_person_has_gone_and_their_wish_is_on_record(self, cast, night):
        skipped = NIGHT + timedelta(seconds=100)
        alter(night, skipped=skipped, skipped_by=None)
        Command.objects.create(
            charge_point=cast.aura, connector=cast.socket, kind="skip-delay", created=skipped, deadline=skipped
        )
        assert check() == []

    def test_two_delays_at_once_at_one_socket_are_found(self, cast, night):
        row = {
            "seconds": 10,
            "maximum_s": 600,
            "change": "increase",
            "before_a": 6,
            "after_a": 32,
            "reason": "schedule",
        }
        DelayDraw.objects.create(connector=cast.socket, nominal=NIGHT + timedelta(seconds=299), **row)
        assert check() == ["overlapping"]
        other = Connector.objects.get(charge_point=cast.aura, number=2)
        DelayDraw.objects.filter(nominal=NIGHT + timedelta(seconds=299)).update(connector=other)
        assert check() == []

    def test_energy_without_a_delay_is_found(self, night):
        alter(night, nominal=NIGHT - timedelta(hours=1))
        assert check(since=NIGHT - timedelta(hours=2)) == ["no-delay-on-record"]

    def test_but_not_where_nothing_flowed_or_the_charger_was_alone(self, night):
        night.delete()
        assert check(since=NIGHT) == ["no-delay-on-record"]
        ChargingSession.objects.update(start_received=NIGHT + timedelta(hours=2))
        assert check(since=NIGHT) == []
        ChargingSession.objects.update(start_received=NIGHT, energy_import_wh=0)
        assert check(since=NIGHT) == []

    def test_nor_where_a_person_wanted_it_at_once(self, cast, box, travel):
        travel.move_to(datetime(2026, 7, 1, 16, 30, tzinfo=UTC))
        box.status("Preparing")
        box.start(meter=0)
        assert Phone(cast.alice).send("POST", f"connectors/{cast.socket.pk}/charge-now").status_code == 202
        ChargingSession.objects.update(energy_import_wh=9_000)
        travel.shift(timedelta(hours=1))
        assert check(since=clock.now() - timedelta(hours=2)) == []

    def test_what_lies_before_the_day_asked_for_is_left_alone(self, night):
        alter(night, actual=NIGHT)
        assert check(since=NIGHT + timedelta(hours=1)) == []


class TestTheCommand:
    def test_it_ends_well_where_nothing_is_found(self, night):
        out = StringIO()
        call_command("check_delays", stdout=out)
        assert out.getvalue().endswith("no findings.\n")

    def test_it_ends_with_1_and_says_what_it_found(self, cast, night):
        alter(night, actual=NIGHT)
        out = StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("check_delays", since="2026-07-01", stdout=out)
        assert ended.value.code == 1
        first, last = out.getvalue().splitlines()
        assert first.startswith("2026-07-01T22:00:00.000Z  AURA-ALICE/1  too-early: start 300 s before")
        assert last.endswith("1 findings.")

    def test_as_json(self, night):
        alter(night, actual=NIGHT)
        out = StringIO()
        with pytest.raises(SystemExit):
            call_command("check_delays", json=True, stdout=out)
        [finding] = json.loads(out.getvalue())["findings"]
        assert (finding["code"], finding["charge_point"], finding["at"]) == (
            *("too-early", "AURA-ALICE"),
            clock.isoformat(NIGHT),
        )

    def test_a_day_that_is_none_is_refused(self, db):
        with pytest.raises(CommandError, match="no date"):
            call_command("check_delays", since="yesterday")


def maxima() -> dict[str, int]:
    return dict(ChargePoint.objects.values_list("identity", "delay_maximum_s"))


@pytest.mark.requirement("R11-5")
class TestSettingTheMaximum:
    def test_of_one_charger_down_to_nothing(self, cast, box):
        call_command("set_random_delay", "0", charge_point="AURA-ALICE", verbosity=0)
        assert maxima() == {"AURA-ALICE": 0, "AURA-WORK": 600}
        coming = DelayDraw.objects.filter(connector__charge_point=cast.aura, nominal__gt=clock.now())
        assert set(coming.values_list("seconds", flat=True)) == {0}

    @pytest.mark.requirement("R11-1")
    def test_of_a_site_and_of_all_up_to_1800(self, cast, box):
        out = StringIO()
        call_command("set_random_delay", "1800", site=str(cast.workplace.pk), stdout=out)
        assert maxima() == {"AURA-ALICE": 600, "AURA-WORK": 1800}
        assert out.getvalue().splitlines()[0] == "AURA-WORK  600 s -> 1800 s"
        call_command("set_random_delay", "1200", all=True, verbosity=0, stdout=StringIO())
        assert set(maxima().values()) == {1200}

    def test_it_is_audited(self, cast, box):
        call_command("set_random_delay", "900", charge_point="AURA-ALICE", stdout=StringIO())
        entry = Entry.objects.get(kind="random-delay-maximum")
        assert (entry.actor, entry.charge_point) == ("operator", str(cast.aura.pk))
        assert entry.detail == {"before_s": 600, "after_s": 900}

    @pytest.mark.parametrize("maximum", ["1801", "-1"])
    def test_what_the_law_does_not_allow_changes_nothing(self, cast, box, maximum):
        with pytest.raises(CommandError, match="0 to 1800"):
            call_command("set_random_delay", "--all", "--", maximum)
        assert set(maxima().values()) == {600}

    def test_nobody_is_an_error(self, cast, box):
        for which in ({"charge_point": "NOBODY"}, {"site": "nowhere"}, {"site": str(cast.aura.pk)}):
            with pytest.raises(CommandError, match="no such charge point"):
                call_command("set_random_delay", "900", **which)

    def test_a_delay_that_runs_is_waited_out_and_the_next_one_is_new(self, cast, box, travel):
        box.status("Preparing")
        box.start()
        travel.shift(10)
        call_command("set_random_delay", "0", all=True, stdout=StringIO())
        running = DelayDraw.objects.get(cause="plug-in")
        assert (running.seconds, running.maximum_s) == (300, 600)
        travel.shift(300)
        delays.freshen(charge_point=cast.aura.pk, now=clock.now(), busy=())
        upcoming = DelayDraw.objects.filter(connector=cast.socket, nominal__gt=clock.now())
        assert upcoming.exists()
        assert {(draw.seconds, draw.maximum_s) for draw in upcoming} == {(0, 0)}
