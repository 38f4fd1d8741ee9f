from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from chargeamps.chargers.models import ChargePoint
from chargeamps.common.ids import parse_id
from chargeamps.common.problems import Invalid
from chargeamps.schedules.services.hours import set_delay_maximum

# So many charge points are changed in one transaction: a fleet must not hold up what chargers say.
BATCH = 100


class Command(BaseCommand):
    help = "Set the longest random delay of charge points, 0 to 1800 seconds, from their next event on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("maximum", type=int, metavar="MAXIMUM", help="seconds, 0 to 1800; the law's own is 600")
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--charge-point", metavar="IDENTITY")
        which.add_argument("--site", metavar="ID")
        which.add_argument("--all", action="store_true", help="every charge point of this installation")

    def handle(self, *args: Any, **options: Any) -> None:
        maximum = options["maximum"]
        rows = list(_chosen(options).order_by("identity"))
        if not rows:
            raise CommandError("There is no such charge point.")
        for number in range(0, len(rows), BATCH):
            try:
                set_delay_maximum(
                    charge_points=rows[number : number + BATCH], maximum_s=maximum, actor=None, operator=True
                )
            except Invalid as problem:
                raise CommandError(" ".join(problem.members["errors"]["maximum_s"])) from problem
        for row in rows:
            self.stdout.write(f"{row.identity}  {row.delay_maximum_s} s -> {maximum} s")
        self.stdout.write(f"{len(rows)} charge points. It holds from the next event of each.")


def _chosen(options: dict[str, Any]) -> QuerySet[ChargePoint]:
    rows = ChargePoint.objects.all()
    if options["charge_point"] is not None:
        return rows.filter(identity=options["charge_point"])
    if options["site"] is not None:
        key = parse_id(options["site"])
        # No key must not mean the charge points without a site.
        return rows.filter(site=key) if key else rows.none()
    return rows
