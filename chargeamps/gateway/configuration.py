"""Reading and setting a charger's configuration keys (OCPP 1.6 §5.4, §5.8)."""

from typing import Any

from chargeamps.chargers.services import reporting
from chargeamps.common import clock
from chargeamps.gateway.connection import CallFailed, Connection
from chargeamps.gateway.reading import clean, is_confidential

KEYS_KEPT = 500


async def read_configuration(connection: Connection) -> dict[str, str | None]:
    """Ask for all keys, store them and return key → value."""
    answer = await connection.call("GetConfiguration", {})
    keys = list(_keys(answer))
    await connection.commit(
        lambda: reporting.configuration_reported(
            charge_point=connection.opened.charge_point, keys=keys, received=clock.now()
        )
    )
    return {key: value for key, value, _ in keys}


async def set_key(connection: Connection, key: str, value: str) -> bool:
    """Change one key; True if it holds now or after the next restart. A charger that cannot is left as it is."""
    try:
        answer = await connection.call("ChangeConfiguration", {"key": key, "value": value})
    except CallFailed as failure:
        if failure.code == "Disconnected":
            raise
        return False
    holds = answer.get("status") in ("Accepted", "RebootRequired")
    if holds:
        await connection.commit(
            lambda: reporting.key_changed(charge_point=connection.opened.charge_point, key=key, value=value)
        )
    return holds


def _keys(answer: dict[str, Any]) -> list[tuple[str, str | None, bool]]:
    entries = answer.get("configurationKey")
    found: dict[str, tuple[str, str | None, bool]] = {}
    for entry in entries[:KEYS_KEPT] if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or not isinstance(entry.get("key"), str):
            continue
        key = clean(entry["key"][:100])
        value = entry.get("value")
        if value is not None:
            value = clean(str(value)[:2000])
        if is_confidential(key):
            value = None
        found[key] = (key, value, entry.get("readonly") in (True, "true"))
    return list(found.values())
