"""``manage.py serve`` that collects its garbage when told to (SIGUSR1), so that memory is compared like with like.

Giving back free memory is what the server does every few seconds by itself.
"""

import gc
import os
import signal
import sys

from chargeamps.runtime.memory import give_back


def collect_on_signal() -> None:
    signal.signal(signal.SIGUSR1, _collect)


def _collect(*_: object) -> None:
    gc.collect()
    give_back()


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chargeamps.settings")
    collect_on_signal()
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", "serve", *sys.argv[1:]])


if __name__ == "__main__":
    main()
