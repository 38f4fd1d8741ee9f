"""``manage.py serve`` that collects its garbage when told to (SIGUSR1), so that memory is compared like with like."""

import gc
import os
import signal
import sys


def collect_on_signal() -> None:
    signal.signal(signal.SIGUSR1, lambda *_: gc.collect())


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chargeamps.settings")
    collect_on_signal()
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", "serve", *sys.argv[1:]])


if __name__ == "__main__":
    main()
