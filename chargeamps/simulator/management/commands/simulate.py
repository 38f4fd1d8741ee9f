"""``manage.py simulate``: the simulated Aura, with its own arguments."""

import sys

from django.core.management.base import BaseCommand

from chargeamps.simulator.main import main


class Command(BaseCommand):
    help = "Run one or many simulated charge points against any OCPP 1.6J server."
    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        sys.exit(main(argv[2:]))
