"""Demand-side response: a cap that waits its delay as the law says, and that the owner may refuse at any time."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command

from chargeamps.chargers.models import ChargePoint
from chargeamps.chargers.services import connections
from chargeamps.common import clock
from chargeamps.schedules.models import DelayDraw, DemandResponse, StoredDelays
from chargeamps.schedules.plan import book_of
from chargeamps.schedules.services import delays
from chargeamps.securitylog.models import Entry
from tests.cast import Phone
from tests.gateway.box import Box

# A Wednesday, 23:00 in London: inside the preset hours.
NIGHT = datetime(2026, 7, 1, 22, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def travel():
    with time_machine.travel(NIGHT, tick=False) as travel:
        yield travel


@pytest.fixture
def box(cast, travel) -> Box:
    """Alice's Aura on line, charging on socket 1, its delay at plug-in long over."""
    ChargePoint.objects.filter(pk=cast.aura.pk).update(free_charging=True, claimed=NIGHT - timedelta(days=1))
    box = Box(cast.aura, cast.aura_key)
    box.status("Available")
    delays.freshen(charge_point=cast.aura.pk, now=clock.now(), busy=())
    StoredDelays.objects.filter(connector=cast.socket).update(start_s=60, start_accepted=True)
    box.status("Preparing")
    box.start()
    travel.shift(timedelta(minutes=30))
    box.status("Charging")
    return box


def announce(cast, *more: str, limit: int = 0, start: datetime | None = None, end: datetime | None = None) -> None:
    start, end = start or clock.now(), end or clock.now() + HOUR
    arguments = [
        cast.aura.identity,
        "--from",
        clock.isoformat(start),
        "--to",
        clock.isoformat(end),
        "--limit",
        str(limit),
    ]
    call_command("demand_response", *arguments, *more, verbosity=0)


def refuse(cast, phone: Phone):
    return phone.send("POST", f"connectors/{cast.socket.pk}/refuse-response")


def drawn_at(cast, nominal: datetime) -> DelayDraw | None:
    return DelayDraw.objects.filter(connector=cast.socket, nominal=nominal).first()


def limit_at(cast, instant: datetime) -> float:
    """What the plan made now allows at an instant, amperes."""
    book, row = book_of(cast.aura.pk, clock.now())
    timeline = book.build(row, clock.now(), clock.now() + timedelta(days=1)).timelines[1]
    return next(slot.limit_a for slot in timeline if slot.start <= instant < slot.end)


def wait_out(cast, nominal: datetime, seconds: int) -> None:
    """Have the switch at ``nominal`` wait this long, so that a draw of 0 s makes no difference to the test."""
    assert DelayDraw.objects.filter(connector=cast.socket, nominal=nominal).update(seconds=seconds) == 1


@pytest.mark.requirement("R5-2", "R5-4", "R11-11")
def test_its_beginning_and_its_end_wait_a_delay_each(cast, box, travel):
    start, end = clock.now() + HOUR, clock.now() + 2 * HOUR
    announce(cast, limit=10, start=start, end=end)
    assert (drawn_at(cast, start).change, drawn_at(cast, end).change) == ("decrease", "increase")
    wait_out(cast, start, 120)
    wait_out(cast, end, 90)
    seconds = [(start, 119, 32), (start, 120, 10), (end, 0, 10), (end, 89, 10), (end, 90, 32)]
    assert [limit_at(cast, at + timedelta(seconds=after)) for at, after, _ in seconds] == [a for *_, a in seconds]


def test_one_that_begins_now_waits_as_well(cast, box):
    announce(cast)
    assert (drawn_at(cast, clock.now()).change, drawn_at(cast, clock.now()).before_a) == ("decrease", 32)


@pytest.mark.requirement("R11-9", "D-10")
def test_a_response_service_begins_without_a_delay_and_ends_with_one(cast, box):
    now, end = clock.now(), clock.now() + HOUR
    announce(cast, "--response", end=end)
    assert drawn_at(cast, now) is None
    assert limit_at(cast, now) == 0
    wait_out(cast, end, 90)
    assert limit_at(cast, end + timedelta(seconds=89)) == 0


@pytest.mark.requirement("R11-8")
def test_a_delay_that_the_sender_applied_is_the_only_one(cast, box):
    now, start, end = clock.now(), clock.now() + HOUR, clock.now() + 2 * HOUR
    announce(cast, "--delay-applied", start=start, end=end)
    assert drawn_at(cast, start) is None
    assert limit_at(cast, start) == 0
    assert drawn_at(cast, end) is not None
    # Only for its own event: another one, of a sender who says nothing, waits.
    announce(cast, start=now + timedelta(minutes=10), end=now + timedelta(minutes=20))
    assert drawn_at(cast, now + timedelta(minutes=10)) is not None


@pytest.mark.requirement("R10-11", "R11-7")
@pytest.mark.parametrize("flags", [(), ("--response",), ("--delay-applied",)])
def test_the_owner_s_refusal_wins_at_once_and_is_on_record(cast, box, travel, flags):
    announce(cast, *flags)
    travel.shift(timedelta(minutes=40))
    assert limit_at(cast, clock.now()) == 0
    box.status("SuspendedEVSE")
    assert refuse(cast, Phone(cast.alice)).status_code == 204
    assert limit_at(cast, clock.now()) == 32
    assert drawn_at(cast, clock.now()) is None
    event = DemandResponse.objects.get()
    assert (event.opted_out, event.opted_out_by) == (clock.now(), cast.alice)
    entry = Entry.objects.get(kind="demand-response-refused")
    assert (entry.actor, entry.charge_point) == (str(cast.alice.pk), str(cast.aura.pk))
    travel.shift(1)
    assert limit_at(cast, clock.now()) == 32


@pytest.mark.requirement("R10-11")
def test_it_wins_also_while_the_delay_of_the_event_runs(cast, box, travel):
    announce(cast)
    wait_out(cast, clock.now(), 300)
    travel.shift(10)
    assert refuse(cast, Phone(cast.alice)).status_code == 204
    seen = [limit_at(cast, clock.now() + timedelta(seconds=after)) for after in (0, 1, 280, 295, 1000)]
    assert seen == [32] * 5


@pytest.mark.requirement("R10-11")
def test_what_is_only_announced_can_be_refused_too(cast, box):
    start = clock.now() + HOUR
    announce(cast, start=start, end=start + HOUR)
    assert refuse(cast, Phone(cast.alice)).status_code == 204
    assert limit_at(cast, start + timedelta(minutes=30)) == 32
    assert drawn_at(cast, start) is None
    assert refuse(cast, Phone(cast.alice)).status_code == 409


@pytest.mark.requirement("R10-11")
def test_it_is_the_owner_s_to_refuse_while_the_charger_is_away(cast, box, travel):
    announce(cast)
    travel.shift(timedelta(minutes=40))
    connections.close_connection(charge_point=cast.aura.pk, epoch=box.opened.epoch, now=clock.now())
    assert refuse(cast, Phone(cast.alice)).status_code == 204
    assert limit_at(cast, clock.now()) == 32
    assert Entry.objects.filter(kind="demand-response-refused").count() == 1


def test_others_do_not_refuse_it(cast, box):
    announce(cast)
    for person, status in ((cast.charlie, 404), (cast.ivy, 404)):
        assert refuse(cast, Phone(person)).status_code == status
    assert not DemandResponse.objects.exclude(opted_out=None).exists()


class TestTheCommand:
    def test_what_it_did_is_in_the_security_log(self, cast, box):
        announce(cast, "--source", "grid")
        entry = Entry.objects.get(kind="demand-response-announced")
        assert (entry.actor, entry.detail["source"], entry.detail["limit_a"]) == ("operator", "grid", 0)

    def test_cancelling_ends_one_that_runs_with_a_delay(self, cast, box, travel):
        announce(cast)
        event = DemandResponse.objects.get()
        travel.shift(timedelta(minutes=40))
        call_command("demand_response", cast.aura.identity, cancel=str(event.pk), verbosity=0)
        event.refresh_from_db()
        assert event.end == clock.now()
        assert drawn_at(cast, clock.now()).change == "start"
        assert Entry.objects.filter(kind="demand-response-cancelled").count() == 1
        with pytest.raises(CommandError, match="is over"):
            call_command("demand_response", cast.aura.identity, cancel=str(event.pk))

    def test_cancelling_one_that_is_to_come_leaves_no_trace_in_the_plan(self, cast, box):
        start = clock.now() + HOUR
        announce(cast, start=start, end=start + HOUR)
        call_command("demand_response", cast.aura.identity, cancel=str(DemandResponse.objects.get().pk), verbosity=0)
        assert not DemandResponse.objects.exists()
        assert drawn_at(cast, start) is None

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"limit": 3, "hours": 1}, "0 for no charging"),
            ({"limit": 33, "hours": 1}, "0 for no charging"),
            ({"limit": 0, "hours": -1}, "must end after it begins"),
        ],
    )
    def test_nonsense_is_refused(self, cast, box, options, said):
        with pytest.raises(CommandError, match=said):
            announce(cast, limit=options["limit"], end=clock.now() + options["hours"] * HOUR)
        assert not DemandResponse.objects.exists()

    def test_unknown_chargers_and_events_are_named(self, cast, box):
        with pytest.raises(CommandError, match="no charge point NOBODY"):
            call_command("demand_response", "NOBODY", cancel="x")
        with pytest.raises(CommandError, match="no event x"):
            call_command("demand_response", cast.aura.identity, cancel="x")
        with pytest.raises(CommandError, match="--to and --limit"):
            call_command("demand_response", cast.aura.identity)
