"""Desired less reported is what is left to do: bring a charger to what the database says should last on it.

Runs after every boot or reconnect, at every ring of the doorbell, and daily. It may run at any time and any number of
times: where nothing differs it makes no call but the proof that the schedule still stands.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction

from chargeamps.chargers.models import ChargePoint, ConfigurationKey, Connector, InstalledProfile
from chargeamps.chargers.services.connections import publish_change
from chargeamps.common import clock
from chargeamps.gateway.commands import Refused, capabilities_of, clear_session_profiles, expect
from chargeamps.gateway.configuration import read_configuration, set_key
from chargeamps.gateway.connection import CallFailed, Connection
from chargeamps.gateway.profiles import (
    ConnectorPlan,
    DesiredProfile,
    Layer,
    Transaction,
    composite_agrees,
    desired_profiles,
    suspect,
)
from chargeamps.schedules.plan import CONNECTOR_MAX_A, overrides_in_force, planned_connector
from chargeamps.usage.selectors import open_sessions

log = structlog.get_logger(__name__)

CONFIGURATION_AGE = timedelta(days=1)
# A proof of the stored schedule holds for a day; after a reconnect it is asked for anew.
PROOF_AGE = timedelta(days=1)
PROOF_SECONDS = 24 * 60 * 60
# What a charger refuses is tried this often, each time with less asked of it, before it is left at that.
ATTEMPTS = 6

WANTED_CONFIGURATION = {
    "MeterValueSampleInterval": "10",
    "MeterValuesSampledData": (
        "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Current.Offered,Voltage"
    ),
}


async def settle(connection: Connection) -> None:
    """Make all the calls that are left to make."""
    charge_point = connection.opened.charge_point
    if await connection.commit(_configuration_old, charge_point):
        with going_on():
            await read_configuration(connection)
    for key, value in await connection.commit(_keys_to_set, charge_point):
        await set_key(connection, key, value)
    for number in await connection.commit(_connectors_to_release, charge_point):
        with going_on():
            await clear_session_profiles(connection, number)
    await _converge_profiles(connection)
    await _prove_profiles(connection)
    await _ask_for_status(connection)


@contextmanager
def going_on() -> Iterator[None]:
    """A call that was refused or not answered leaves the rest to be done; a broken connection does not."""
    try:
        yield
    except Refused:
        pass
    except CallFailed as failure:
        if failure.code == "Disconnected":
            raise


def _configuration_old(charge_point: UUID) -> bool:
    reported = ChargePoint.objects.values_list("configuration_reported", flat=True).get(pk=charge_point)
    return reported is None or clock.now() - reported > CONFIGURATION_AGE


async def _ask_for_status(connection: Connection) -> None:
    """Ask for the status of connectors that have told none on this socket: it may have changed while they were away."""
    silent = set(connection.opened.connectors) - connection.statuses_told
    for number in sorted(silent):
        await _ask(connection, "TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": number})
        connection.statuses_told.add(number)


def _keys_to_set(charge_point: UUID) -> list[tuple[str, str]]:
    """Keys that the charger has, may be written and hold something else."""
    reported = {row.key: row for row in ConfigurationKey.objects.filter(charge_point=charge_point)}
    return [
        (key, value)
        for key, value in WANTED_CONFIGURATION.items()
        if key in reported and not reported[key].read_only and reported[key].value != value
    ]


async def _ask(connection: Connection, action: str, payload: dict[str, object]) -> None:
    """Make a call whose refusal changes nothing."""
    with going_on():
        await connection.call(action, payload)


def _connectors_to_release(charge_point: UUID) -> list[int]:
    """Connectors with a session's profile left over from an override that has ended."""
    connectors = {c.number: c.pk for c in Connector.objects.filter(charge_point=charge_point)}
    in_force = overrides_in_force(list(connectors.values()))
    rows = InstalledProfile.objects.filter(charge_point=charge_point, layer=Layer.SESSION)
    numbers = set(rows.values_list("connector_number", flat=True))
    return sorted(number for number in numbers if connectors.get(number) not in in_force)


async def _converge_profiles(connection: Connection) -> None:
    """Set what differs, in order; a refusal teaches what this charger cannot do and less is asked of it."""
    charge_point = connection.opened.charge_point
    for _ in range(ATTEMPTS):
        to_set, to_clear = await connection.commit(_profile_changes, charge_point, clock.now())
        refused, reason = None, ""
        for profile in to_set:
            try:
                answer = await connection.call(
                    "SetChargingProfile",
                    {"connectorId": profile.connector_number, "csChargingProfiles": profile.payload},
                )
                expect(answer, "Accepted")
            except (Refused, CallFailed) as error:
                if isinstance(error, CallFailed) and error.code in ("Disconnected", "Timeout"):
                    raise CallFailed(error.code) from error
                refused = profile
                reason = str(error)
                break
            await connection.commit(_profile_accepted, charge_point, profile)
        if refused is None:
            for profile_id in to_clear:
                await _ask(connection, "ClearChargingProfile", {"id": profile_id})
                await connection.commit(_profile_cleared, charge_point, profile_id)
            return
        learnt = await connection.commit(_refused, charge_point, refused, reason)
        if not learnt:
            return


@transaction.atomic
def _profile_changes(charge_point: UUID, now: datetime) -> tuple[list[DesiredProfile], list[int]]:
    """Bring the rows to what is desired now; return the profiles to set and the ids to clear."""
    row = ChargePoint.objects.select_related("site").get(pk=charge_point)
    wanted = wanted_profiles(row, now)
    rows = {
        (r.connector_number, r.profile_id): r
        for r in InstalledProfile.objects.filter(charge_point=row).exclude(layer=Layer.SESSION)
    }
    to_set = []
    for profile in wanted:
        installed = rows.pop((profile.connector_number, profile.profile_id), None)
        if installed is None:
            installed = InstalledProfile(
                charge_point=row, connector_number=profile.connector_number, profile_id=profile.profile_id
            )
        if installed.desired_digest != profile.digest:
            installed.layer, installed.payload = profile.layer, profile.payload
            installed.desired_digest, installed.refusal = profile.digest, ""
            installed.save()
            publish_change(charge_point)
        if installed.accepted_digest != profile.digest:
            to_set.append(profile)
    gone = []
    for stale in rows.values():
        if stale.accepted_digest:
            gone.append(stale.profile_id)
        else:
            stale.delete()
    return to_set, gone


def wanted_profiles(charge_point: ChargePoint, now: datetime) -> tuple[DesiredProfile, ...]:
    """The profiles that should stand on a charge point, as its capabilities allow."""
    plans = [
        ConnectorPlan(planned_connector(charge_point, connector, None, now), {})
        for connector in charge_point.connectors.order_by("number")
    ]
    return desired_profiles(plans, capabilities_of(charge_point), now).profiles if plans else ()


@transaction.atomic
def _profile_accepted(charge_point: UUID, profile: DesiredProfile) -> None:
    InstalledProfile.objects.filter(
        charge_point=charge_point, connector_number=profile.connector_number, profile_id=profile.profile_id
    ).update(accepted_digest=profile.digest, accepted=clock.now(), refusal="", attempts=0)
    publish_change(charge_point)


@transaction.atomic
def _profile_cleared(charge_point: UUID, profile_id: int) -> None:
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


async def _prove_profiles(connection: Connection) -> None:
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
        await _converge_profiles(connection)
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
    row = ChargePoint.objects.select_related("site").get(pk=charge_point)
    connector = Connector.objects.get(charge_point=row, number=number)
    session = open_sessions([connector.pk]).get(connector.pk)
    installed = InstalledProfile.objects.filter(charge_point=row, connector_number=number)
    if installed.filter(layer=Layer.SESSION).exists():
        return True  # "charge now" lies on top; what is below shows when it ends
    profiles = [profile for profile in wanted_profiles(row, now) if profile.connector_number in (0, number)]
    agreement = composite_agrees(
        answer,
        profiles,
        number,
        now,
        capabilities_of(row),
        max_a=CONNECTOR_MAX_A,
        transaction=Transaction(session.transaction_id, session.started) if session else None,
    )
    if agreement.agrees:
        for profile in installed:
            InstalledProfile.objects.filter(pk=profile.pk).update(verified_digest=profile.desired_digest, verified=now)
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
        installed.update(verified_digest="", verified=None)
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
