"""``manage.py serve`` at another wall-clock time.

``python -m tests.harness.serve_at 2026-11-18T17:30:00Z --http-port 8000`` starts at that instant and runs on from it.
Only wall time moves (``datetime``, ``time.time``); the event loops of asyncio and Twisted count monotonic seconds and
notice nothing. Two clocks stay real: the database's own and those of other processes.
"""

import os
import sys
from datetime import datetime

import time_machine


def main() -> None:
    instant, *arguments = sys.argv[1:]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chargeamps.settings")
    with time_machine.travel(datetime.fromisoformat(instant), tick=True):
        from django.core.management import execute_from_command_line

        execute_from_command_line(["manage.py", "serve", *arguments])


if __name__ == "__main__":
    main()
