from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chargeamps.securitylog import services


class Command(BaseCommand):
    help = "Prove that no entry of the security log was altered, removed or moved."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--anchor", metavar="SEQUENCE:HASH", help="what an earlier run printed, kept elsewhere")

    def handle(self, *args: Any, **options: Any) -> None:
        fault = services.verify(anchor=_anchor(options["anchor"]))
        if fault:
            raise CommandError(f"Entry {fault.sequence} is {fault.what}.")
        sequence, digest = services.head()
        self.stdout.write(f"{sequence} entries in order. Anchor to keep elsewhere: {sequence}:{digest}")


def _anchor(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    sequence, _, digest = text.partition(":")
    if not sequence.isdigit() or len(digest) != 64:
        raise CommandError("--anchor takes what an earlier run printed: SEQUENCE:HASH")
    return int(sequence), digest
