"""Which idTags the charger knows: the Local Authorization List and the cache (OCPP 1.6 §3.5)."""

from __future__ import annotations

from typing import Any

from .clock import parse_iso

JSON = dict[str, Any]


def accepted(info: JSON, now: float) -> bool:
    """Does this idTagInfo permit charging at ``now``?"""
    if info.get("status") != "Accepted":
        return False
    expiry = info.get("expiryDate")
    try:
        return expiry is None or parse_iso(expiry) > now
    except ValueError:
        return False


class LocalList:
    """Tags are CiStrings: compared without regard to case, kept as sent."""

    def __init__(self, max_length: int, max_send: int) -> None:
        self.max_length = max_length
        self.max_send = max_send
        self.version = 0
        self.entries: dict[str, JSON] = {}

    def get(self, id_tag: str) -> JSON | None:
        entry = self.entries.get(id_tag.upper())
        return None if entry is None else entry["idTagInfo"]

    def update(self, version: int, kind: str, rows: list[JSON]) -> str:
        """SendLocalList's answer (§5.15): ``Accepted``, ``Failed`` or ``VersionMismatch``; nothing changes unless
        Accepted. A differential row without idTagInfo removes the tag."""
        if len(rows) > self.max_send or version <= 0:
            return "Failed"
        if kind == "Full":
            if any("idTagInfo" not in r for r in rows):
                return "Failed"
            new = {r["idTag"].upper(): r for r in rows}
        else:
            if version <= self.version:
                return "VersionMismatch"
            new = dict(self.entries)
            for row in rows:
                if "idTagInfo" in row:
                    new[row["idTag"].upper()] = row
                else:
                    new.pop(row["idTag"].upper(), None)
        if len(new) > self.max_length:
            return "Failed"
        self.version, self.entries = version, new
        return "Accepted"

    def dump(self) -> JSON:
        return {"version": self.version, "entries": self.entries}

    def load(self, saved: JSON) -> None:
        self.version, self.entries = saved["version"], dict(saved["entries"])


class Cache:
    """The Authorization Cache: the last idTagInfo of tags seen (§3.5.1); the oldest makes room."""

    def __init__(self, size: int = 100) -> None:
        self.size = size
        self.entries: dict[str, JSON] = {}

    def put(self, id_tag: str, info: JSON) -> None:
        self.entries.pop(id_tag.upper(), None)
        self.entries[id_tag.upper()] = info
        while len(self.entries) > self.size:
            self.entries.pop(next(iter(self.entries)))

    def get(self, id_tag: str) -> JSON | None:
        return self.entries.get(id_tag.upper())

    def clear(self) -> None:
        self.entries.clear()
