"""The charger's non-volatile memory as a file."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from .aura import Aura

JSON = dict[str, Any]
EVERY_S = 1.0  # the file is written at most so often
REGISTER_S = 60.0  # and at least so often, for the energy register


def read_memory(path: Path) -> JSON | None:
    """What a charger kept, or None when there is nothing yet."""
    if not path.exists():
        return None
    memory: JSON = json.loads(path.read_text())
    return memory


class Keeper:
    """Writes the memory after changes, whole and in one stroke, readable by its owner only: the key is in it."""

    def __init__(self, aura: Aura, path: Path) -> None:
        self.aura = aura
        self.path = path
        self._written = 0.0

    def __call__(self) -> None:
        age = time.monotonic() - self._written
        if age > REGISTER_S or (self.aura.dirty and age > EVERY_S):
            self.write()

    def write(self) -> None:
        self._written = time.monotonic()
        if not self.aura.running:
            return
        draft = self.path.with_name(self.path.name + ".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(self.aura.dump_memory(), file)
        draft.replace(self.path)
        self.aura.dirty = False
