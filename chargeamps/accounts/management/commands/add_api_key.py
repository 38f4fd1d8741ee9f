import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chargeamps.accounts import services
from chargeamps.accounts.models import User


class Command(BaseCommand):
    help = "Make an API key for a person and print it, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="command line", help="what the key is for")
        parser.add_argument("--json", action="store_true", help="print {key}")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email__iexact=options["email"]).first()
        if user is None:
            raise CommandError(f"Nobody here has the e-mail address {options['email']}.")
        key = services.create_api_key(user=user, name=options["name"])
        self.stdout.write(json.dumps({"key": key}) if options["json"] else f"Authorization: Bearer {key}")
