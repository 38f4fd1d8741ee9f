"""``manage.py demo``: a home with an owner, an Aura to try everything on, and a year of its charging.

The owner's password and the charger's key are made at random the first time and kept in the data folder, so that the
demo can be started again.
"""

import atexit
import json
import os
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from chargeamps.accounts.models import User
from chargeamps.accounts.services import create_person, create_site
from chargeamps.chargers.models import ChargePoint
from chargeamps.chargers.services.registration import register_charge_point
from chargeamps.common.certificates import authority_file
from chargeamps.common.ids import new_code
from chargeamps.runtime.demo_history import tell_a_year
from chargeamps.runtime.management.commands.serve import add_port_arguments
from chargeamps.runtime.serving import Ports, serve

EMAIL = "alice@example.com"
IDENTITY = "AURA-DEMO-1"
FILE = "demo.json"


class Command(BaseCommand):
    help = "Make a demo home, serve it, and let a simulated Aura live in it."

    def add_arguments(self, parser: CommandParser) -> None:
        add_port_arguments(parser)
        parser.add_argument("--json", action="store_true", help="make the demo home, print it as JSON and stop")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        demo = _prepare()
        if options["json"]:
            self.stdout.write(json.dumps({key: value for key, value in demo.items() if key != "keys"}))
            return
        ports = Ports(options["host"], options["http_port"], options["tls_port"])

        def announce() -> None:
            _start_aura(ports, demo)
            self.stdout.write(
                f"\nThe app:   http://{ports.host}:{ports.http}\n"
                f"Chargers:  wss://{ports.host}:{ports.tls}/ocpp/<identity>\n"
                f"Sign in:   {demo['email']}\n"
                f"Password:  {demo['password']}\n"
            )
            self.stdout.flush()

        serve(ports, on_ready=announce)


@transaction.atomic
def _prepare() -> dict[str, Any]:
    path = settings.DATA_FOLDER.path / FILE
    if path.exists() and User.objects.filter(email=EMAIL).exists():
        loaded: dict[str, Any] = json.loads(path.read_text())
        return loaded
    password = new_code(3)
    owner = create_person(email=EMAIL, password=password, name="Alice")
    home = create_site(name="Home", owner=owner)
    registered = register_charge_point(identity=IDENTITY, site=home)
    charge_point = registered.charge_point
    ChargePoint.objects.filter(pk=charge_point.pk).update(name="Driveway", free_charging=True)
    tell_a_year(charge_point)
    demo = {
        "email": EMAIL,
        "password": password,
        "site": str(home.pk),
        "charge_points": [{"id": str(charge_point.pk), "identity": IDENTITY}],
        "keys": {IDENTITY: registered.key.hex()},
    }
    settings.DATA_FOLDER.write_private(FILE, json.dumps(demo).encode())
    return demo


def _start_aura(ports: Ports, demo: dict[str, Any]) -> None:
    """Run the simulated Aura as a process of its own: it is a charger, and speaks to us as any other does."""
    folder = settings.DATA_FOLDER.path
    aura = subprocess.Popen(
        [
            sys.executable,
            os.fspath(settings.BASE_DIR / "manage.py"),
            "simulate",
            *("--url", f"wss://127.0.0.1:{ports.tls}/ocpp"),
            *("--identity", IDENTITY),
            *("--key", demo["keys"][IDENTITY]),
            *("--ca-file", os.fspath(authority_file(settings.DATA_FOLDER))),
            *("--state", os.fspath(folder / "demo-aura.json")),
            "--life",
        ],
        stdout=subprocess.DEVNULL,
    )
    atexit.register(aura.terminate)
