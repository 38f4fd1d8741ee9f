from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chargeamps.chargers.models import ChargePoint
from chargeamps.common import clock
from chargeamps.common.ids import parse_id
from chargeamps.common.problems import Problem
from chargeamps.schedules.services import demand


class Command(BaseCommand):
    help = "Announce a demand-side response event to a charge point, or take one back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("charge_point", metavar="CHARGE_POINT", help="its identity")
        parser.add_argument(
            "--from", dest="start", type=_instant, metavar="TIME", help="2026-07-01T17:00Z; now without"
        )
        parser.add_argument("--to", dest="end", type=_instant, metavar="TIME")
        parser.add_argument("--limit", type=int, metavar="A", help="amperes per phase: 0, or 6 to 32")
        parser.add_argument("--response", action="store_true", help="a response service: it waits for no random delay")
        parser.add_argument("--delay-applied", action="store_true", help="its beginning has been randomised already")
        parser.add_argument("--source", default="operator", help="who asks for it")
        parser.add_argument("--cancel", metavar="ID", help="take this event back; one that runs ends now")

    def handle(self, *args: Any, **options: Any) -> None:
        charge_point = ChargePoint.objects.filter(identity=options["charge_point"]).first()
        if charge_point is None:
            raise CommandError(f"There is no charge point {options['charge_point']}.")
        try:
            if options["cancel"] is not None:
                self._cancel(charge_point, options["cancel"])
            else:
                self._announce(charge_point, options)
        except Problem as problem:
            texts = [text for texts in problem.members.get("errors", {}).values() for text in texts]
            raise CommandError(" ".join(texts) or problem.detail) from problem

    def _cancel(self, charge_point: ChargePoint, id: str) -> None:
        key = parse_id(id)
        if key is None:
            raise CommandError(f"There is no event {id}.")
        demand.cancel(charge_point=charge_point, id=key)
        self.stdout.write(f"{key} is cancelled.")

    def _announce(self, charge_point: ChargePoint, options: dict[str, Any]) -> None:
        if options["end"] is None or options["limit"] is None:
            raise CommandError("--to and --limit are needed.")
        event = demand.announce(
            charge_point=charge_point,
            start=options["start"] or clock.now(),
            end=options["end"],
            limit_a=options["limit"],
            source=options["source"],
            response=options["response"],
            delay_applied=options["delay_applied"],
        )
        span = f"{clock.isoformat(event.start)} to {clock.isoformat(event.end)}"
        self.stdout.write(f"{event.pk}  {charge_point.identity}  at most {event.limit_a} A from {span}")


def _instant(text: str) -> datetime:
    """An ISO 8601 time; UTC where it does not say."""
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
