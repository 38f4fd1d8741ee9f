"""What is shown as online is held by somebody: leases of processes, epochs of sockets, ends that got lost."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chargeamps.chargers.models import ChargePoint, Command
from chargeamps.chargers.services import commands, connections
from chargeamps.chargers.services.credentials import issue_key
from chargeamps.common import clock
from chargeamps.common.bus import PROCESS_ID
from chargeamps.gateway import registry
from chargeamps.gateway.actions import require_newest
from chargeamps.gateway.models import GatewayProcess
from chargeamps.gateway.source import StaleConnection
from chargeamps.securitylog.models import Entry
from tests.gateway.box import NOW, Box


@pytest.fixture(autouse=True)
def at_a_fixed_time():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


def sweep(now=None, held=()):
    return registry._sweep_rows(now or clock.now(), NOW, {}, list(held))


def lease(process: str, last_seen=NOW) -> None:
    GatewayProcess.objects.create(id=process, started=last_seen, last_seen=last_seen)


def shown(cast) -> ChargePoint:
    return ChargePoint.objects.get(pk=cast.aura.pk)


def test_a_sweep_renews_the_lease(cast, at_a_fixed_time):
    sweep()
    at_a_fixed_time.shift(timedelta(seconds=7))
    sweep()
    assert GatewayProcess.objects.get().last_seen == NOW + timedelta(seconds=7)


def test_the_chargers_of_a_dead_process_are_offline_since_it_was_last_seen(cast):
    Box(cast.aura, cast.aura_key, process="other")
    lease("other")
    sweep(NOW + registry.LEASE)
    assert shown(cast).online
    sweep(NOW + registry.LEASE + timedelta(seconds=1))
    assert not shown(cast).online
    assert shown(cast).disconnected_since == NOW
    assert list(GatewayProcess.objects.values_list("id", flat=True)) == [PROCESS_ID]


def test_within_a_minute():
    assert registry.LEASE.total_seconds() + 2 * registry.SWEEP_SECONDS * 1.2 < 60


def test_what_moved_to_a_living_process_is_not_buried_with_the_dead_one(cast):
    Box(cast.aura, cast.aura_key, process="dead")
    lease("dead")
    Box(cast.aura, cast.aura_key, process=PROCESS_ID)
    sweep(NOW + timedelta(minutes=1), held=[cast.aura.pk])
    assert shown(cast).online


def test_the_end_of_a_socket_that_could_not_be_stored_is_found_by_the_sweep(cast):
    Box(cast.aura, cast.aura_key, process=PROCESS_ID)
    sweep(NOW + timedelta(seconds=10))
    assert shown(cast).online, "it may just have been accepted"
    sweep(NOW + timedelta(seconds=30))
    assert not shown(cast).online


def test_what_this_process_holds_stays_online(cast):
    Box(cast.aura, cast.aura_key, process=PROCESS_ID)
    sweep(NOW + timedelta(hours=1), held=[cast.aura.pk])
    assert shown(cast).online


def test_the_sweep_says_whose_each_socket_is(cast):
    first = Box(cast.aura, cast.aura_key, process=PROCESS_ID)
    assert sweep(held=[cast.aura.pk])[0] == {cast.aura.pk: (first.opened.epoch, PROCESS_ID)}
    second = Box(cast.aura, cast.aura_key, process="other")
    assert sweep(held=[cast.aura.pk])[0] == {cast.aura.pk: (second.opened.epoch, "other")}
    assert second.opened.epoch > first.opened.epoch


def test_the_late_end_of_an_old_socket_closes_nothing(cast):
    old = Box(cast.aura, cast.aura_key)
    new = Box(cast.aura, cast.aura_key)
    assert not connections.close_connection(charge_point=cast.aura.pk, epoch=old.opened.epoch, now=NOW)
    assert shown(cast).online
    assert connections.close_connection(charge_point=cast.aura.pk, epoch=new.opened.epoch, now=NOW)
    assert not connections.close_connection(charge_point=cast.aura.pk, epoch=new.opened.epoch, now=NOW)


@pytest.mark.parametrize("action", ["StatusNotification", "StartTransaction", "MeterValues", "BootNotification"])
def test_an_old_socket_can_change_nothing(cast, action):
    old = Box(cast.aura, cast.aura_key)
    new = Box(cast.aura, cast.aura_key)
    with pytest.raises(StaleConnection):
        old.say(action, {"connectorId": 1, "status": "Faulted", "meterValue": [{"sampledValue": [{"value": "1"}]}]})
    require_newest(new.opened)


def test_a_wrong_key_changes_nothing(cast):
    Box(cast.aura, cast.aura_key)
    before = ChargePoint.objects.filter(pk=cast.aura.pk).values().get()
    for identity, key in (("AURA-ALICE", b"x" * 20), ("AURA-NOBODY", cast.aura_key), ("AURA-ALICE", b"")):
        assert (
            connections.open_connection(identity=identity, key=key, process="p", source_address="", now=clock.now())
            is None
        )
    assert ChargePoint.objects.filter(pk=cast.aura.pk).values().get() == before


def test_an_unknown_identity_and_a_wrong_key_ask_the_same_of_the_database(cast):
    asked = []
    for identity in ("AURA-ALICE", "AURA-NOBODY"):
        with CaptureQueriesContext(connection) as queries:
            connections.open_connection(
                identity=identity, key=b"x" * 20, process="p", source_address="", now=clock.now()
            )
        asked.append([query["sql"].replace(identity, "?") for query in queries])
    assert asked[0] == asked[1]
    assert asked[0] != []


@pytest.mark.requirement("S1-30")
def test_a_takeover_is_logged_and_a_return_is_not(cast):
    first = Box(cast.aura, cast.aura_key, address="192.0.2.1")
    connections.close_connection(charge_point=cast.aura.pk, epoch=first.opened.epoch, now=NOW)
    Box(cast.aura, cast.aura_key, address="192.0.2.1")
    assert not Entry.objects.filter(kind="socket-takeover").exists()
    Box(cast.aura, cast.aura_key, address="198.51.100.9")
    entry = Entry.objects.get(kind="socket-takeover")
    assert (entry.source_address, entry.detail) == ("198.51.100.9", {"previous_address": "192.0.2.1"})


def test_queued_work_is_found_without_a_doorbell(cast):
    Box(cast.aura, cast.aura_key, process=PROCESS_ID)
    Box(cast.work_aura, issue_key(cast.work_aura), process="other")
    for charge_point in (cast.aura, cast.work_aura):
        charge_point.refresh_from_db()
        commands.request(charge_point=charge_point, kind=Command.Kind.REFRESH, user=None)
    assert sweep()[1] == [cast.aura.pk]
