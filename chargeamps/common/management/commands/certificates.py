"""``manage.py certificates``: what a charger must trust to connect to this installation."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from chargeamps.common.certificates import authority_file, fingerprint


class Command(BaseCommand):
    help = "Show the certificate authority that a charger must be told to trust."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.TLS_CERTIFICATE:
            self.stdout.write(f"A certificate of your own is in use: {settings.TLS_CERTIFICATE}")
            return
        path = authority_file(settings.DATA_FOLDER)
        self.stdout.write(
            f"Certificate authority: {path}\nSHA-256 fingerprint:   {fingerprint(path)}\n\n{path.read_text()}"
        )
