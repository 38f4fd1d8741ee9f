import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chargeamps.accounts.models import Site
from chargeamps.chargers.services.registration import register_charge_point
from chargeamps.common.ids import parse_id
from chargeamps.common.problems import Problem


class Command(BaseCommand):
    help = "Make a charge point known; print its identity, key and claim code, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("identity")
        parser.add_argument("--site", metavar="ID", help="the site that it belongs to from now on; no claim is needed")
        parser.add_argument("--connectors", type=int, default=2)
        parser.add_argument(
            "--json", action="store_true", help="print {id, identity, key_hex, claim_code, connectors: [{id, number}]}"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = register_charge_point(
                identity=options["identity"], site=_site(options["site"]), connectors=options["connectors"]
            )
        except Problem as problem:
            texts = [text for texts in problem.members.get("errors", {}).values() for text in texts]
            raise CommandError(" ".join(texts) or problem.detail) from problem
        if options["json"]:
            connectors = [
                {"id": str(c.pk), "number": c.number} for c in made.charge_point.connectors.order_by("number")
            ]
            self.stdout.write(
                json.dumps(
                    {
                        "id": str(made.charge_point.pk),
                        "identity": made.charge_point.identity,
                        "key_hex": made.key.hex(),
                        "claim_code": made.claim_code,
                        "connectors": connectors,
                    }
                )
            )
            return
        self.stdout.write(f"identity    {made.charge_point.identity}")
        self.stdout.write(f"key         {made.key.decode()}  (in hex {made.key.hex()})")
        if made.claim_code:
            self.stdout.write(f"claim code  {made.claim_code}")
        self.stdout.write("These are shown once. The charger gets the key, its owner the claim code.")


def _site(text: str | None) -> Site | None:
    if text is None:
        return None
    key = parse_id(text)
    site = Site.objects.filter(pk=key).first() if key else None
    if site is None:
        raise CommandError(f"There is no site {text}.")
    return site
