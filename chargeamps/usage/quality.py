"""How sure a session's figures are, in words for people. Pure."""

from collections.abc import Collection

EXACT = "The total is exact from the meter."
NOTES = {
    "unit-repaired": "The charger mixed up kWh and Wh. This was put right.",
    "register-reset": "The charger's meter began anew during this session. The energy around that moment is estimated.",
    "register-jump": "The charger's meter jumped. The jump is not counted.",
    "register-of-its-own": "The charger's meter counts each session by itself.",
    "reading-out-of-line": "A reading that cannot be true was left out.",
    "meter-stop-below-start": "The meter's last value is below its first. The energy comes from the readings between.",
    "meter-start-missing": "The meter's first value is missing. Counted from the first reading.",
    "meter-stop-missing": "The meter's last value is missing. Counted up to the last reading.",
    "energy-from-power": "The meter gave no energy. It was worked out from the power.",
    "power-disagrees": "The meter and the power beside it do not agree. Please have the charger's meter checked.",
    "stop-missing": "The charger never said that this session ended. It ended when the next one began, or before.",
    "export-register-reset": "The meter for energy sent out began anew during this session.",
    "export-register-jump": "The meter for energy sent out jumped. The jump is not counted.",
    "export-reading-out-of-line": "A reading of energy sent out that cannot be true was left out.",
}
FLAGS = {
    "timestamp-implausible": "The charger's clock was wrong. The times are those at which its messages came in.",
    "timestamp-unreadable": "The charger's time could not be read. The times are those at which its messages came in.",
    "stopped-before-start": "The charger said that it stopped before it started.",
    "stop-came-before-start": "The end was reported before the beginning. They were matched by time and meter.",
}
# What leaves a doubt about the total itself.
DOUBTFUL = frozenset(
    {
        *("register-reset", "register-jump", "meter-stop-below-start", "meter-start-missing", "meter-stop-missing"),
        *("energy-from-power", "power-disagrees", "stop-missing", "unit-repaired"),
        *("export-register-reset", "export-register-jump"),
    }
)


def quality(*, findings: Collection[str], flags: Collection[str], missing: int, ended: bool) -> tuple[bool, list[str]]:
    """``(exact, notes)``: whether the total is the meter's own difference, and what there is to say of it."""
    if not ended:
        findings = [code for code in findings if code != "meter-stop-missing"]
    exact = ended and not DOUBTFUL.intersection(findings)
    notes = [NOTES[code] for code in findings if code in NOTES] + [FLAGS[code] for code in flags if code in FLAGS]
    if missing:
        gaps = f"{missing} reading{'' if missing == 1 else 's'} missing"
        notes.insert(0, f"{gaps}, total exact from the meter." if exact else f"{gaps}.")
    if not ended:
        notes.append("Still running: the figures grow.")
    return exact, notes
