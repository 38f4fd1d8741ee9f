import json
import secrets
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from chargeamps.accounts import services
from chargeamps.common.problems import Problem


class Command(BaseCommand):
    help = "Make an account, and a home with it where asked."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="")
        parser.add_argument(
            "--password",
            dest="source",
            choices=["-", "generated"],
            default="generated",
            help="'-' reads it from standard input",
        )
        parser.add_argument("--home", metavar="NAME", help="also make a home owned by this person")
        parser.add_argument("--json", action="store_true", help="print {id, email, password, site}")

    def handle(self, *args: Any, **options: Any) -> None:
        given = options["source"] == "-"
        password = sys.stdin.readline().rstrip("\r\n") if given else secrets.token_urlsafe(12)
        site = None
        try:
            with transaction.atomic():
                user = services.create_person(email=options["email"], password=password, name=options["name"])
                if options["home"]:
                    site = services.create_site(name=options["home"], owner=user)
        except Problem as problem:
            texts = [text for texts in problem.members.get("errors", {}).values() for text in texts]
            raise CommandError(" ".join(texts) or problem.detail) from problem
        made = {
            "id": str(user.pk),
            "email": user.email,
            "password": None if given else password,
            "site": str(site.pk) if site else None,
        }
        if options["json"]:
            self.stdout.write(json.dumps(made))
        else:
            for name, value in made.items():
                self.stdout.write(f"{name}: {value}" if value else "", ending="\n" if value else "")
