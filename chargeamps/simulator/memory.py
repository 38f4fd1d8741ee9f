"""What the charger keeps without power: written by its core, read at the next boot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .aura import Aura

JSON = dict[str, Any]


def dump(aura: Aura) -> JSON:
    """The non-volatile memory as JSON."""
    return {
        "identity": aura.identity,
        "key": aura.key.hex() if aura.key is not None else None,
        "boots": aura.boots,
        "configuration": aura.configuration.written,
        "profiles": aura.profiles.dump(),
        "local_list": aura.local_list.dump(),
        "cache": aura.cache.entries,
        "outlets": {str(n): o.dump() for n, o in aura.outlets.items()},
        "numbers": aura.numbers,
        "queue": aura.messaging.queue.dump(),
        "security": aura.security.dump(),
    }


def load(aura: Aura, kept: JSON) -> None:
    """Take back what ``dump`` gave. Raises KeyError when it is not such a memory."""
    if kept["key"] is not None:
        aura.key = bytes.fromhex(kept["key"])
    aura.boots = kept["boots"]
    aura.configuration.written = dict(kept["configuration"])
    aura.profiles.load(kept["profiles"])
    aura.local_list.load(kept["local_list"])
    aura.cache.entries = dict(kept["cache"])
    for n, outlet in aura.outlets.items():
        outlet.load(kept["outlets"][str(n)])
    aura.numbers = dict(kept["numbers"])
    aura.messaging.queue.load(kept["queue"])
    aura.security.load(kept["security"])
