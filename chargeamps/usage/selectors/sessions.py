"""Reads of charging sessions."""

from collections.abc import Iterable
from uuid import UUID

from chargeamps.usage.models import ChargingSession


def open_sessions(connectors: Iterable[UUID]) -> dict[UUID, ChargingSession]:
    """The newest session of each connector that has not stopped."""
    sessions = ChargingSession.objects.filter(connector__in=connectors, stopped=None).order_by("started")
    return {session.connector_id: session for session in sessions}
