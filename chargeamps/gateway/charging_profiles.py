"""The charging profiles a charger should hold, brought to it, and proved by what it says it will do.

What it refuses teaches what it cannot do, and less is asked of it. "Accepted" proves nothing: each connector is asked
for its composite schedule.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction

from chargeamps.chargers.models import ChargePoint, Connector, InstalledProfile
from chargeamps.chargers.services.connections import publish_change
from chargeamps.common import clock, sql
from chargeamps.gateway.commands import (
    Refused,
    capabilities_of,
    clear_session_profiles,
    expect,
    expect_session_profile,
    going_on,
)
from chargeamps.gateway.connection import CallFailed, Connection
from chargeamps.gateway.profiles import (
    Capabilities,
    ConnectorPlan,
    Desired,
    DesiredProfile,
    Layer,
    Transaction,
    changes,
    charge_now_profile,
    composite_agrees,
    desired_profiles,
    exact_days_needed,
    session_profile,
    suspect,
)
from chargeamps.schedules import planner
from chargeamps.schedules.plan import CONNECTOR_MAX_A, PlanBook, book_of
from chargeamps.schedules.services import delays
from chargeamps.schedules.services.overrides import session_until
from chargeamps.usage.selectors import open_sessions

log = structlog.get_logger(__name__)

# A proof of the stored schedule holds for a day; after a reconnect it is asked for anew.
PROOF_AGE = timedelta(days=1)
PROOF_SECONDS = 24 * 60 * 60
# What a charger refuses is tried this often, each time with less asked of it, before it is left at that.
ATTEMPTS = 6
# How far ahead the exact days go, and how far beyond a pause or an event.
DAYS_AHEAD = timedelta(hours=72)
DAYS_AFTER = timedelta(hours=24)
DAYS_AT_MOST = timedelta(days=30)


async def converge(connection: Connection) -> None:
    """Bring the stored profiles and those of running sessions to what they should be, and have them proved."""
    await _converge_sessions(connection)
    await _converge_stored(connection)
    await _prove(connection)


async def _converge_sessions(connection: Connection) -> None:
    """Release what an override that is over has left, and move what ends at another time than was sent."""
    charge_point = connection.opened.charge_point
    released, to_set = await connection.commit(_session_changes, charge_point, clock.now())
    for number in released:
        with going_on():
            await clear_session_profiles(connection, number)
    for profile in to_set:
        with going_on():
            await _set(connection, profile)
            await connection.commit(expect_session_profile, charge_point, profile)


@transaction.atomic
def _session_changes(charge_point: UUID, now: datetime) -> tuple[list[int], list[DesiredProfile]]:
    book, row = book_of(charge_point, now)
    capabilities = capabilities_of(row)
    connectors = book.connectors(row)
    sessions = open_sessions([connector.pk for connector in connectors])
    installed = {
        profile.connector_number: profile
        for profile in InstalledProfile.objects.filter(charge_point=row, layer=Layer.SESSION)
    }
    released, to_set = [], []
    for connector in connectors:
        session, have = sessions.get(connector.pk), installed.get(connector.number)
        wanted, until = session_until(connector.pk, now)
        if wanted:
            if have is not None and session is not None and _ends(have) != until:
                to_set.append(
                    charge_now_profile(
                        connector.number,
                        CONNECTOR_MAX_A,
                        capabilities,
                        now,
                        transaction_id=session.transaction_id,
                        until=until,
                    )
                )
        elif not capabilities.tx_default and session is not None:
            # It stores no default, so it is given the plan for as long as this session lasts.
            timeline = book.build(row, now, now + DAYS_AHEAD).timelines[connector.number]
            profile = session_profile(connector.number, timeline, capabilities, transaction_id=session.transaction_id)
            if have is None or have.accepted_digest != profile.digest:
                to_set.append(profile)
        elif have is not None:
            released.append(connector.number)
    return released, to_set


def _ends(profile: InstalledProfile) -> datetime | None:
    until = profile.payload.get("validTo")
    return datetime.fromisoformat(until) if until else None


async def _set(connection: Connection, profile: DesiredProfile) -> None:
    """Raises ``Refused`` or ``CallFailed``."""
    answer = await connection.call(
        "SetChargingProfile", {"connectorId": profile.connector_number, "csChargingProfiles": profile.payload}
    )
    expect(answer, "Accepted")


async def _converge_stored(connection: Connection) -> None:
    """Set what differs, in order; a refusal teaches what this charger cannot do and less is asked of it."""
    charge_point = connection.opened.charge_point
    for _ in range(ATTEMPTS):
        to_set, to_clear = await connection.commit(_stored_changes, charge_point, clock.now())
        refused, reason = None, ""
        for profile in to_set:
            try:
                await _set(connection, profile)
            except (Refused, CallFailed) as error:
                if isinstance(error, CallFailed) and error.code in ("Disconnected", "Timeout"):
                    raise CallFailed(error.code) from error
                refused = profile
                reason = str(error)
                break
            await connection.commit(_accepted, charge_point, profile)
        if refused is None:
            for profile_id in to_clear:
                with going_on():
                    await connection.call("ClearChargingProfile", {"id": profile_id})
                await connection.commit(_cleared, charge_point, profile_id)
            return
        if not await connection.commit(_refused, charge_point, refused, reason):
            return


@transaction.atomic
def _stored_changes(charge_point: UUID, now: datetime) -> tuple[list[DesiredProfile], list[int]]:
    """Bring the rows to what is desired now; return the profiles to set and the ids to clear."""
    book, row = book_of(charge_point, now)
    capabilities = capabilities_of(row)
    rows = {
        (stored.connector_number, stored.profile_id): stored
        for stored in InstalledProfile.objects.filter(charge_point=row).exclude(layer=Layer.SESSION)
    }
    desired = wanted_profiles(book, row, capabilities, now)
    have = [as_desired(stored) for stored in rows.values() if stored.accepted_digest == stored.desired_digest]
    wanted = _with_running_delays(row, desired.profiles, have)
    todo = changes(have, wanted, capabilities, now)
    setting = {(profile.connector_number, profile.profile_id) for profile in todo.to_set}
    for profile in todo.to_set:
        installed = rows.get((profile.connector_number, profile.profile_id)) or InstalledProfile(
            charge_point=row, connector_number=profile.connector_number, profile_id=profile.profile_id
        )
        if installed.desired_digest != profile.digest:
            installed.layer, installed.payload = profile.layer, profile.payload
            installed.desired_digest, installed.refusal = profile.digest, ""
            installed.save()
    kept = {(profile.connector_number, profile.profile_id) for profile in wanted}
    for key, stale in rows.items():
        if key not in kept and not stale.accepted_digest:
            stale.delete()
    if todo.to_set or todo.to_clear or sorted(row.shortfalls) != sorted(desired.shortfalls):
        ChargePoint.objects.filter(pk=row.pk).update(shortfalls=sorted(desired.shortfalls))
        publish_change(charge_point)
    _note_start_delays(book, row, wanted, setting, desired)
    return list(todo.to_set), list(todo.to_clear)


def wanted_profiles(book: PlanBook, charge_point: ChargePoint, capabilities: Capabilities, now: datetime) -> Desired:
    """The profiles that should stand on a charge point, as its capabilities allow."""
    connectors = book.connectors(charge_point)
    if not connectors:
        return Desired((), frozenset())
    end = now + DAYS_AHEAD
    timelines = book.build(charge_point, now, end, capacity=False, stored=True).timelines
    plans = []
    for connector in connectors:
        lasting, weekly = book.lasting(charge_point, connector), book.weekly_delays(connector)
        stored, timeline = book.stored(connector), timelines[connector.number]
        if not exact_days_needed(timeline, lasting, weekly):
            timeline = ()
        elif timeline[-1].limit_a == 0:
            # A pause that lasts: as far as it goes, and into the hours after it.
            longer = book.build(charge_point, now, now + DAYS_AT_MOST, capacity=False, stored=True)
            timeline = _until_after_pause(longer.timelines[connector.number])
        plans.append(
            ConnectorPlan(lasting, weekly, timeline, start_delay=stored.start_s if stored is not None else None)
        )
    return desired_profiles(plans, capabilities, now, installation_a=charge_point.installation_limit_a)


def _until_after_pause(timeline: planner.Timeline) -> planner.Timeline:
    paused = [index for index, slot in enumerate(timeline) if slot.limit_a == 0 and slot.end - slot.start > DAYS_AFTER]
    return timeline[: paused[-1] + 3] if paused else timeline


def _with_running_delays(
    charge_point: ChargePoint, wanted: Sequence[DesiredProfile], have: Iterable[DesiredProfile]
) -> list[DesiredProfile]:
    """The wanted profiles, with the delay of a running transaction left as it is: it counts from the beginning."""
    running = {number for (number,) in sql.fetch(_IN_SESSION, charge_point.pk)}
    frozen = [each for each in have if each.layer is Layer.START and each.connector_number in running]
    free = [each for each in wanted if each.layer is not Layer.START or each.connector_number not in running]
    taken = {each.slot for each in free}
    return [*(each for each in frozen if each.slot not in taken), *free]


_IN_SESSION = """
    SELECT c.number FROM chargers_connector c JOIN usage_chargingsession s ON s.connector_id = c.id
    WHERE c.charge_point_id = %s AND s.stopped IS NULL
"""


def _note_start_delays(
    book: PlanBook,
    charge_point: ChargePoint,
    wanted: Iterable[DesiredProfile],
    setting: set[tuple[int, int]],
    desired: Desired,
) -> None:
    """Tell the journal which sockets keep the delay of the next transaction by themselves."""
    starts = {each.connector_number: each for each in wanted if each.layer is Layer.START}
    able = Layer.START in {each.layer for each in desired.profiles}
    for connector in book.connectors(charge_point):
        stored, profile = book.stored(connector), starts.get(connector.number)
        if stored is None:
            continue
        if profile is None:
            # A drawn delay of 0 s needs no profile; whether the charger could keep one, its neighbour shows.
            if stored.start_accepted and not (stored.start_s == 0 and able):
                delays.start_delay_lost(connector=connector.pk)
        elif (profile.connector_number, profile.profile_id) in setting:
            delays.start_delay_lost(connector=connector.pk)
        elif not stored.start_accepted and profile.payload["chargingSchedule"]["duration"] == stored.start_s:
            delays.start_delay_kept(connector=connector.pk, seconds=stored.start_s)


def as_desired(row: InstalledProfile) -> DesiredProfile:
    """A stored row as the profile that it is."""
    return DesiredProfile(row.connector_number, row.payload, row.desired_digest, Layer(row.layer))


@transaction.atomic
def _accepted(charge_point: UUID, profile: DesiredProfile) -> None:
    rows = InstalledProfile.objects.filter(charge_point=charge_point, connector_number=profile.connector_number)
    rows.filter(profile_id=profile.profile_id).update(
        accepted_digest=profile.digest, accepted=clock.now(), refusal="", attempts=0
    )
    for other in rows.exclude(profile_id=profile.profile_id):
        if as_desired(other).slot == profile.slot:
            other.delete()  # the charger has put this one in its place
    if profile.layer is Layer.START:
        connector = Connector.objects.get(charge_point=charge_point, number=profile.connector_number)
        delays.start_delay_kept(connector=connector.pk, seconds=int(profile.payload["chargingSchedule"]["duration"]))
    publish_change(charge_point)


@transaction.atomic
def _cleared(charge_point: UUID, profile_id: int) -> None:
    InstalledProfile.objects.filter(charge_point=charge_point, profile_id=profile_id).delete()
    publish_change(charge_point)


@transaction.atomic
def _refused(charge_point: UUID, profile: DesiredProfile, reason: str) -> bool:
    """Learn from a refused profile; False when nothing simpler is left to try."""
    row = ChargePoint.objects.select_for_update().get(pk=charge_point)
    suspicion = suspect(profile.payload, capabilities_of(row))
    log.info("profile_refused", charge_point=str(charge_point), reason=reason, suspicion=suspicion)
    if suspicion is not None and suspicion not in row.refusals:
        row.refusals = [*row.refusals, str(suspicion)]
        row.save(update_fields=["refusals"])
        return True
    InstalledProfile.objects.filter(
        charge_point=charge_point, connector_number=profile.connector_number, profile_id=profile.profile_id
    ).update(refusal="it does not accept them in any form we know.")
    publish_change(charge_point)
    return False


async def _prove(connection: Connection) -> None:
    """Ask each connector what it will do for a day and compare; what is not as accepted is set again, once."""
    charge_point = connection.opened.charge_point
    differing: list[int] = []
    unit = await connection.commit(_unit, charge_point)
    for again in (True, False):
        unproved = await connection.commit(_unproved_connectors, charge_point, connection.connected_at)
        differing = []
        for number in unproved:
            try:
                answer = await connection.call(
                    "GetCompositeSchedule",
                    {"connectorId": number, "duration": PROOF_SECONDS, "chargingRateUnit": unit},
                )
            except CallFailed as failure:
                if failure.code == "Disconnected":
                    raise
                continue
            agrees = await connection.commit(_judge, charge_point, number, answer, clock.now())
            if not agrees:
                differing.append(number)
        if not differing:
            return
        if not again:
            break
        await connection.commit(_forget_acceptance, charge_point, differing)
        await _converge_stored(connection)
    await connection.commit(_note_disobedience, charge_point, differing)


def _unit(charge_point: UUID) -> str:
    return capabilities_of(ChargePoint.objects.get(pk=charge_point)).unit


def _unproved_connectors(charge_point: UUID, connected_at: datetime) -> list[int]:
    """Connectors whose profiles are accepted but not proved since the charger connected, or not for a day."""
    now = clock.now()
    rows = InstalledProfile.objects.filter(charge_point=charge_point).exclude(layer=Layer.SESSION)
    return sorted(
        {
            row.connector_number
            for row in rows
            if row.connector_number > 0
            and row.accepted_digest == row.desired_digest
            and (
                row.verified_digest != row.desired_digest
                or row.verified is None
                or row.verified < max(connected_at, now - PROOF_AGE)
            )
        }
    )


@transaction.atomic
def _judge(charge_point: UUID, number: int, answer: dict[str, object], now: datetime) -> bool:
    """Compare a composite schedule with what was accepted and store the verdict; False where it says otherwise.

    A charger that will not say, or says it unreadably, is neither proved right nor wrong.
    """
    row = ChargePoint.objects.get(pk=charge_point)
    connector = Connector.objects.get(charge_point=row, number=number)
    session = open_sessions([connector.pk]).get(connector.pk)
    # What the whole box may draw shows in every connector's schedule.
    installed = InstalledProfile.objects.filter(charge_point=row, connector_number__in=(0, number))
    if installed.filter(layer=Layer.SESSION).exists():
        return True  # "charge now" lies on top; what is below shows when it ends
    agreement = composite_agrees(
        answer,
        [as_desired(profile) for profile in installed if profile.accepted_digest == profile.desired_digest],
        number,
        now,
        capabilities_of(row),
        max_a=CONNECTOR_MAX_A,
        transaction=Transaction(session.transaction_id, session.started) if session else None,
    )
    if agreement.agrees:
        for profile in installed:
            InstalledProfile.objects.filter(pk=profile.pk).update(verified_digest=profile.accepted_digest, verified=now)
    else:
        log.warning(
            "schedule_differs",
            charge_point=str(charge_point),
            connector=number,
            verdict=agreement.code,
            at=str(agreement.at),
            expected=agreement.expected_a,
            reported=agreement.reported_a,
        )
        installed.filter(connector_number=number).update(verified_digest="", verified=None)
    publish_change(charge_point)
    return agreement.code != "differs"


@transaction.atomic
def _forget_acceptance(charge_point: UUID, numbers: list[int]) -> None:
    InstalledProfile.objects.filter(charge_point=charge_point, connector_number__in=numbers).exclude(
        layer=Layer.SESSION
    ).update(accepted_digest="")


@transaction.atomic
def _note_disobedience(charge_point: UUID, numbers: list[int]) -> None:
    """Accepted twice and not kept to: the owner is told, and it is tried again at the next connection or hour."""
    InstalledProfile.objects.filter(charge_point=charge_point, connector_number__in=numbers).exclude(
        layer=Layer.SESSION
    ).update(refusal="it accepts them, but does not keep to them.")
    publish_change(charge_point)
