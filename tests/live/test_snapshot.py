"""Old snapshot + changes = new snapshot, whatever happened in between; and only what the person may see."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chargeamps.accounts.models import Membership, User
from chargeamps.accounts.services import add_member
from chargeamps.chargers.services.credentials import issue_key
from chargeamps.common.problems import Problem
from chargeamps.live import snapshot
from chargeamps.schedules.services import overrides as schedules
from tests.cast import Cast
from tests.gateway.box import Box

collections = st.dictionaries(st.sampled_from("abc"), st.fixed_dictionaries({"x": st.integers(0, 2)}), max_size=3)
snapshots = st.fixed_dictionaries(dict.fromkeys(snapshot.COLLECTIONS, collections))


@given(old=snapshots, new=snapshots)
def test_changes_lead_from_any_snapshot_to_any_other(old: snapshot.Snapshot, new: snapshot.Snapshot) -> None:
    assert snapshot.apply(old, snapshot.changes(old, new)) == new
    assert snapshot.changes(new, new) == []


@pytest.fixture
def box(cast: Cast) -> Box:
    cast.aura.free_charging = True
    cast.aura.save()
    return Box(cast.aura, cast.aura_key)


ACTS = (
    "boot",
    "available",
    "preparing",
    "start",
    "charging",
    "meter",
    "suspended",
    "charge_now",
    "wait",
    "stop",
    "leave",
)


def perform(act: str, box: Box, cast: Cast, transactions: list[int]) -> None:
    match act:
        case "boot":
            box.say("BootNotification", {"chargePointVendor": "Charge Amps", "chargePointModel": "AURA"})
        case "available" | "preparing" | "charging":
            box.status(act.title())
        case "suspended":
            box.status("SuspendedEVSE")
        case "start":
            transactions.append(box.start(meter=1000 + len(transactions)))
        case "meter":
            box.meter(wh=2000, power_w=7200, number=transactions[-1] if transactions else None)
        case "charge_now" | "wait":
            service = schedules.charge_now if act == "charge_now" else schedules.wait_for_schedule
            with suppress(Problem):  # not possible in this state, which is as good a step
                service(connector=cast.socket, user=cast.alice)
        case "stop" if transactions:
            box.stop(transactions.pop(), meter=3000)
        case "leave":
            add_member(site=cast.home, user=cast.charlie, role=Membership.Role.USER)
            cast.charlie.memberships.filter(site=cast.home).delete()


@pytest.mark.django_db
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.sampled_from(ACTS), max_size=12))
def test_a_phone_that_applies_every_change_sees_what_a_fresh_one_sees(acts: list[str], cast: Cast, box: Box) -> None:
    transactions: list[int] = []
    charge_point = {box.opened.charge_point}
    phone = whole = snapshot.read(cast.alice)
    for act in acts:
        perform(act, box, cast, transactions)
        part = snapshot.read(cast.alice, charge_point)
        now = snapshot.replace_part(whole, part, {str(key) for key in charge_point})
        phone = snapshot.apply(phone, snapshot.changes(whole, now))
        whole = now
    fresh = snapshot.read(cast.alice)
    assert without_time(phone) == without_time(fresh)


def without_time(seen: snapshot.Snapshot) -> snapshot.Snapshot:
    """Without what time alone changes between two looks."""

    def still(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: still(each) for key, each in value.items() if key not in ("flow_seconds", "until")}
        return value

    return {name: still(collection) for name, collection in seen.items()}


def test_each_person_sees_their_own_sites_and_nothing_else(cast: Cast) -> None:
    def sees(person: User) -> set[str]:
        return set(snapshot.read(person)["charge_points"])

    home, work = {str(cast.aura.pk)}, {str(cast.work_aura.pk)}
    assert (sees(cast.alice), sees(cast.bob), sees(cast.charlie)) == (home, home, set())
    assert (sees(cast.wendy), sees(cast.dan), sees(cast.ivy)) == (work, work, work)
    assert sees(cast.sam) == set()
    # Asking for another's by name finds nothing either.
    assert snapshot.read(cast.charlie, [cast.aura.pk])["connectors"] == {}


def test_buttons_are_those_of_the_persons_role(cast: Cast) -> None:
    box = Box(cast.work_aura, issue_key(cast.work_aura))
    box.status("Preparing")
    key = str(box.opened.connectors[1])
    offered = {
        name: snapshot.read(person)["connectors"][key]["actions"]
        for name, person in (("wendy", cast.wendy), ("dan", cast.dan), ("ivy", cast.ivy))
    }
    assert offered == {"wendy": ["charge-now"], "dan": ["charge-now"], "ivy": []}
