"""The odd frames of ``tests/vectors/odd-frames.json``, with those that it only describes made."""

import json
from pathlib import Path

VECTORS = Path(__file__).parent.parent / "vectors" / "odd-frames.json"
UNSOLICITED = 50_000

_MADE: dict[str, str | bytes] = {
    "nested 100000 lists": "[" * 100_000 + "]" * 100_000,
    "nested 5000 in DataTransfer": ('[2,"1","DataTransfer",{"vendorId":"x","data":' + "[" * 5000 + "]" * 5000 + "}]"),
    "integer of 5000 digits": '[2,"1","Heartbeat",{"n":' + "7" * 5000 + "}]",
    "id of 10000 characters": '[2,"' + "x" * 10_000 + '","Heartbeat",{}]',
    "frame of 2 MiB": "x" * 2 * 1024 * 1024,
    "binary frame": b'[2,"1","Heartbeat",{}]',
}
FLOOD = "50000 unsolicited results"
# Longer than any message may be: these close their socket.
TOO_LONG = ("nested 100000 lists", "frame of 2 MiB")


def cases() -> dict[str, str | bytes]:
    """Every single frame by the name of its case; the flood of 50,000 is apart."""
    found: dict[str, str | bytes] = {}
    for case in json.loads(VECTORS.read_text())["frames"]:
        if "frame" in case:
            found[case["case"]] = case["frame"]
        elif case["case"] != FLOOD:
            found[case["case"]] = _MADE[case["case"]]
    return found
